{
  "format": 1,
  "algorithm": "Ed25519",
  "key_id": "a11bbdb3b5c62365",
  "signature": "8c03ebda96c39edfc90f9bde131e30160c1c25fdba24a96b970af93b94c56c19a5666c4ba68e605be27a87138a45faaee8ca5f39d9bc55013de722f567711b0c"
}
