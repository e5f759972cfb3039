"""`make bench`: measures a whole stack of its own, prints each figure beside its target, and never fails a build.

__main__.py   what is measured, in which order, within which time
figures.py    a figure, its targets, the table, the JSON
stack.py      the servers: PostgreSQL with fsync, Valkey, gunicorn, Daphne, a worker
seeding.py    1,000 to 100,000 cases, by plain SQL
helper.py     a process that does what it is told on its standard input
within.py     … with Django in it: takes in, delivers, announces
listeners.py  … with hundreds of agents' sockets in it
poster.py     … that posts signed webhooks as Twilio would
far_end.py    … that answers as Twilio's REST API would
floor.py      the least Python could do for a mail
mail.py webhooks.py pages.py sockets.py alert.py outgoing.py   one section of the table each
"""
