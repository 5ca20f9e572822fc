{
  "format": 1,
  "algorithm": "Ed25519",
  "key_id": "a11bbdb3b5c62365",
  "signature": "0d142327ee6b2feef9efe427a286be4b0405de0e88e3ee02abe30410817eb2f3555e9b891f89bb4186a1c890b3c3a2c255d7de8a1f1b58d3895527dc838a3402"
}
