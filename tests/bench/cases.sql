-- Cases in bulk. Values: cases, agents, first_agent, first_team, email (the mailbox's id).
INSERT INTO customers_customer (id, name, named_by_agent, has_written, created_at)
SELECT n,
    (ARRAY['Maya', 'Jon', 'Ines', 'Omar', 'Lena', 'Piet', 'Ruth', 'Sami'])[1 + mod(n, 8)] || ' '
        || (ARRAY['Ortiz', 'Bell', 'Sato', 'Klein', 'Novak', 'Diaz', 'Okoye', 'Lund', 'Weiss', 'Marsh'])[1 + mod(n / 8, 10)]
        || ' ' || n,
    false, true, now() - interval '1 year'
FROM generate_series(1, %(cases)s) n;

INSERT INTO customers_identity
    (kind, scope, value, handle, customer_id, origin, first_seen_at, last_inbound_at, is_person)
SELECT 'email', '', 'person' || n || '@mail.test', '', n, 'wrote to us', now(), now(), false
FROM generate_series(1, %(cases)s) n
ORDER BY n;

INSERT INTO customers_identity
    (kind, scope, value, handle, customer_id, origin, first_seen_at, last_inbound_at, is_person)
SELECT 'phone', '', '+1415' || (2000000 + n), '', n, 'wrote to us', now(), now(), false
FROM generate_series(1, %(cases)s) n
ORDER BY n;

INSERT INTO customers_identitylink (identity_id, customer_id, reason, words, made_at)
SELECT id, customer_id, 'first_seen', '', now() FROM customers_identity;

CREATE TEMP TABLE plan AS
SELECT n, 1000 + n AS id,
    (ARRAY['resolved', 'open', 'open', 'waiting', 'snoozed', 'resolved', 'resolved', 'resolved'])[1 + mod(n, 8)] AS status,
    CASE WHEN h < 60 THEN 0 WHEN h < 90 THEN 1 WHEN h < 99 THEN 2 ELSE 3 END AS team,
    CASE WHEN mod(n, 8) BETWEEN 1 AND 4 AND mod(n, 64) >= 8 THEN %(first_agent)s + mod(n / 8, %(agents)s) END AS assignee,
    now() - interval '3 days' - interval '300 days' * (1 - n::float / %(cases)s) AS came
FROM (SELECT n, mod(n * 7919 + n / 100, 100) AS h FROM generate_series(1, %(cases)s) n) numbers;

INSERT INTO inbox_case
    (id, uuid, customer_id, subject, status, is_live, split_off, team_id, team_ids, assignee_id, reply_token, version, created_at,
    changed_at, resolved_at, snoozed_until, waiting_since, channel, previous_channel, moved_at, shows_move, channels,
    open_channels, last_entry_id, last_kind, last_author, last_at, preview, last_inbound_id, has_failed_delivery,
    first_channel, first_message_at, first_reply_at)
SELECT id, gen_random_uuid(), n, 'About order ' || 100000 + n, status, status <> 'resolved', false,
    %(first_team)s + team, ARRAY[%(first_team)s + team], assignee, md5(n::text), 4, came, came + interval '1 day',
    CASE WHEN status = 'resolved' THEN came + interval '2 days' END,
    CASE WHEN status = 'snoozed' THEN now() + interval '2 days' END,
    CASE WHEN status = 'open' THEN came + interval '1 day' END,
    'email', CASE WHEN mod(n, 200) = 1 THEN 'sms' ELSE '' END, CASE WHEN mod(n, 200) = 1 THEN came END,
    mod(n, 200) = 1 AND status <> 'resolved', ARRAY['email'],
    CASE WHEN status = 'open' THEN ARRAY['email'] ELSE ARRAY[]::varchar[] END,
    3 * %(cases)s + n, CASE WHEN status = 'open' THEN 'message' ELSE 'reply' END, 'Maya Ortiz', came + interval '1 day',
    'the parcel has still not arrived and nobody has told me when it will', 2 * %(cases)s + n, false,
    'email', came, came + interval '1 hour'
FROM plan;

-- The first entries of all cases, then the second ones, …: as they would have come in
INSERT INTO inbox_entry
    (id, uuid, case_id, kind, channel, connector_id, identity_id, our_address, agent_id, author, created_at, sent_at,
    subject, text, quoted, html, remark, classification, reason, authenticity, message_id, headers, sent_outside,
    is_open, also_sent, reactions, event, data)
SELECT (k - 1) * %(cases)s + n, gen_random_uuid(), plan.id, kind, 'email', %(email)s, n, 'support@bench.test',
    CASE WHEN kind = 'reply' THEN %(first_agent)s END, CASE WHEN kind = 'reply' THEN 'Agent 1' ELSE 'Person ' || n END,
    came + k * interval '6 hours', came + k * interval '6 hours', 'About order ' || 100000 + n,
    texts.text || ' ref' || n || 'x' || k
        || CASE WHEN mod((k - 1) * %(cases)s + n, %(cases)s / 5) = 17 THEN ' quokka' ELSE '' END,
    '', '', '', 'person', '', 'pass', '', '{}', false, kind = 'message' AND k = 4, false, '{}', '', '{}'
FROM generate_series(1, 4) k
CROSS JOIN plan
CROSS JOIN LATERAL (
    SELECT CASE WHEN k IN (1, 3) OR k = 4 AND status = 'open' THEN 'message' ELSE 'reply' END AS kind) kinds
JOIN bench_text texts ON texts.id = mod(n * 31 + k * 577, 4096)
ORDER BY 1;

INSERT INTO inbox_delivery
    (uuid, entry_id, part, connector_id, identity_id, text, state, not_before, attempts, claimed_at, sent_at, changed_at,
    reason, code)
SELECT gen_random_uuid(), id, 0, connector_id, identity_id, text, 'delivered', created_at, 1, created_at, created_at,
    created_at, '', ''
FROM inbox_entry WHERE kind = 'reply';
