"""Mail servers → receipts.

watcher.py   one mailbox: who reads it, for how long, and what happens when that goes wrong
folders.py   what is read in it: which folders, from where on, and each mail exactly once
"""

from inbox.mailboxes.folders import Place, folder_at, places, read_new
from inbox.mailboxes.watcher import Watcher

__all__ = ["Place", "Watcher", "folder_at", "places", "read_new"]
