{
  "format": 1,
  "algorithm": "Ed25519",
  "key_id": "13d983964813b24a",
  "signature": "2d2348abef80e0d8a3ddd1215cb98dc204bcff8dccaf375de0d40cbb3fdf9ccedbc6258be55f2cd8035bf56e4aea24adf3b942462580a97193fa827fc9f10c01"
}
