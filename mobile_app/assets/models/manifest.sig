{
  "format": 1,
  "algorithm": "Ed25519",
  "key_id": "56e52a5778002b82",
  "signature": "43311ae844c4a75651e6a10506f5764229a7ac09360b6dfd2f4f8c53b6afd0c90a90b14ced41664f308db581ab793d4a73ceca386a150f23fc60c07db8315a0b"
}
