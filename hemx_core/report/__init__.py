"""A triage result as files and text: result.json, pictures, referral, DICOM objects, terminal table."""
