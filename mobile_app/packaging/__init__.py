"""Building the Android app: what goes in, how it is built, and what it may do. Runs on a desk.

stage     copies what the device needs, and nothing else, beside buildozer.spec
manifest  renders the app's manifest without an Android SDK, and lists its permissions
"""

from hemx_core.errors import HemxError


class PackagingError(HemxError):
    """The Android app cannot be staged or does not keep a promise of its packaging."""
