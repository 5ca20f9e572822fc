{
  "format": 1,
  "algorithm": "Ed25519",
  "key_id": "a11bbdb3b5c62365",
  "signature": "9d8d13428dee5c8de3daa6caa39d104b4e191839b147579fd397de2598ebc8dbb5b3d6d52e1376649759f70d5f05b0fd62cc6e7cc9b90d4f563e4f72d1119707"
}
