"""The referral: what it says, how it looks, where it goes."""
