{
  "format": 1,
  "algorithm": "Ed25519",
  "key_id": "d2ad06872e990614",
  "signature": "ff72b6039eaf2cebbe2b169ead7dd3a2c41c6fe1e4138d6664121ae4be2acdcfe33a370cff1c3d70a196318861eb8216c900964392be5a1824f98cce83b8bb0c"
}
