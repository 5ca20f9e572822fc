{
  "format": 1,
  "algorithm": "Ed25519",
  "key_id": "deb71eaa90760453",
  "signature": "fa15819d84a7e420ede9a8a7cc7706a0179f1bc40dc67f58820a235f2f367b2a0eaae60b30df9ab26a9b6b9c7acddeeca704c88b6a9584ead7415b00c9688e00"
}
