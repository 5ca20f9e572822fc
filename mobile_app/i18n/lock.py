"""Strings of the lock screen and of what a PIN does."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "lock.title": ("HEMX is locked", "HEMXはロックされています"),
    "lock.hint": ("PIN", "PIN"),
    "lock.unlock": ("Unlock", "ロック解除"),
    "lock.checking": ("Checking …", "確認中…"),
    "lock.wrong": ("The PIN is wrong.", "PINが違います。"),
    "lock.wait": (
        "Too many wrong PINs. Try again in {seconds} s.",
        "誤ったPINが続きました。{seconds}秒後に再度入力できます。",
    ),
    "lock.running": (
        "An analysis goes on behind the lock.",
        "ロック中も解析は続いています。",
    ),
}
