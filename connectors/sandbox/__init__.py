"""The far end of every provider, for demos and tests: `python -m connectors.sandbox --config FILE --data FOLDER`.

One asyncio process with a Twilio REST API, a Graph API, an SMTP and an IMAP server, and "the customer's phone", a page
where a visitor is the customer. It imports nothing of the product, and no code of the product knows that it exists: it
is reached through general settings (`TWILIO_API_URL`, `GRAPH_API_URL`, mail hosts, `MAIL_CA_FILE`). It speaks only to
loopback and refuses to start anywhere else (one sentence, exit code 2).

The configuration file (JSON)::

    {"host": "127.0.0.1", "http_port": 8090, "smtp_port": 8025, "imap_port": 8993,
     "tls": {"cert": path, "key": path},            optional: made under the data folder when absent
     "product_url": "http://127.0.0.1:8000/",       where "Open the agent's side" leads
     "status_delay": 0.3,                           optional: seconds between queued, sent and delivered
     "connectors": [
       {"kind": "sms" or "whatsapp", "address": "+1…", "name", "webhook_url", "account_sid", "auth_token"},
       {"kind": "instagram", "address": "1784…", "name", "webhook_url", "app_secret", "access_token", "verify_token"},
       {"kind": "email", "address": "support@…", "name", "username", "password"}],
     "customers": [{"name", "email", "email_password", "phone", "instagram_id", "instagram_handle", "note"}]}

Mail: SMTP offers STARTTLS and takes AUTH only inside it; a sender that has an account must sign in as itself. IMAP is
TLS from the first byte. Both know every connector mailbox and every customer with an `email_password`.

The control API (JSON in, JSON out; errors are `{"error": sentence}` with 400 or 404). `customer` is an index into
`customers`, or a name, an address, a number, an Instagram id or a handle:

- `POST /control/say {customer, channel: "email"|"sms"|"instagram"|"whatsapp", text, …}` → `{id, person,
  webhook_status, webhook_ms}`; `person` is the id of who wrote.
  Optional for all: `to` (our address), `from` (another address than the customer's own), `files` (how many photos),
  `age_hours` (written that long ago). Mail: `subject` (starts a new thread; without it the last mail is answered at its
  Reply-To), `cc` ([address]), `headers` ({name: value}), `in_reply_to` (Message-ID), `html`, `late_hours` (dated that
  long ago, arriving now), `forged` (the mail system says the sender is not who it claims), `letter` (`newsletter`,
  `out_of_office` or `order`: a ready-made mail that no person wrote). Instagram: `in_reply_to` (mid). WhatsApp:
  `hide_number` (the business sees an id instead).
  `webhook_status` is what the product answered; 0: nobody answered; null: mail, which is fetched, not pushed.
- `GET /control/inbox?customer=…` → `{person, email: […], sms: […], instagram: […], whatsapp: […]}`: everything that
  person can see, oldest first; `direction` is `received` or `sent` from the customer's point of view.
- `POST /control/read {customer, channel}`: the customer looks at the thread (Instagram and WhatsApp tell the product).
- `POST /control/unsend {customer, id?}`, `POST /control/react {customer, id?, emoji}` (empty: taken back): Instagram;
  without an id the newest message that fits.
- `POST /control/faults {provider, fault, times?, seconds?}`; providers and their faults: `connectors.sandbox.faults`.
  `none` ends it. `GET /control/faults` tells what is on.
- `POST /control/story {customer?, pause?}` plays e-mail, SMS, Instagram with visible pauses; `{"stop": true}` ends it.
- `GET /control/log?after=N` → `{entries: […]}`, what went over the wire. `GET /control/state`, `GET /control/health`.
- `GET /control/events`: server-sent events; each names what changed.
"""
