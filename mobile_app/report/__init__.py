"""The Report screen: preview and export of the referral."""
