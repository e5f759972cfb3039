-- One case of `size` entries as a person lives through it: two channels, replies with deliveries, notes, some HTML.
-- Values: size, case, customer, identity (and the next one), first_entry, first_agent, first_team, email, sms.
INSERT INTO customers_customer (id, name, named_by_agent, has_written, created_at)
VALUES (%(customer)s, 'Thread Of ' || %(size)s, true, true, now());

INSERT INTO customers_identity
    (id, kind, scope, value, handle, customer_id, origin, first_seen_at, last_inbound_at, is_person)
VALUES
    (%(identity)s, 'email', '', 'thread' || %(size)s || '@mail.test', '', %(customer)s, '', now(), now(), false),
    (%(identity)s + 1, 'phone', '', '+1628' || (2000000 + %(size)s), '', %(customer)s, '', now(), now(), false);

INSERT INTO inbox_case
    (id, uuid, customer_id, subject, status, is_live, split_off, team_id, team_ids, reply_token, version, created_at, changed_at,
    waiting_since, channel, previous_channel, shows_move, channels, open_channels, last_entry_id, last_kind, last_author,
    last_at, preview, last_inbound_id, has_failed_delivery, first_channel, first_message_at, first_reply_at)
VALUES
    (%(case)s, gen_random_uuid(), %(customer)s, 'A thread', 'open', true, false, %(first_team)s, ARRAY[%(first_team)s], md5('t' || %(size)s), 1,
    now(), now(), now() - interval '1 hour', 'sms', 'email', true, ARRAY['email', 'sms'], ARRAY['sms'],
    %(first_entry)s + %(size)s - 1, 'message', 'Thread', now(), 'and another thing', %(first_entry)s + %(size)s - 1,
    false, 'email', now(), now());

INSERT INTO inbox_entry
    (id, uuid, case_id, kind, channel, connector_id, identity_id, our_address, agent_id, author, created_at, sent_at,
    subject, text, quoted, html, remark, classification, reason, authenticity, message_id, headers, sent_outside,
    is_open, also_sent, reactions, event, data)
SELECT %(first_entry)s + n, gen_random_uuid(), %(case)s, kind, CASE WHEN kind = 'note' THEN '' ELSE channel END,
    CASE WHEN kind <> 'note' THEN CASE channel WHEN 'sms' THEN %(sms)s ELSE %(email)s END END,
    CASE WHEN kind <> 'note' THEN %(identity)s + CASE channel WHEN 'sms' THEN 1 ELSE 0 END END, '',
    CASE WHEN kind <> 'message' THEN %(first_agent)s END, CASE WHEN kind = 'message' THEN 'Thread' ELSE 'Agent 1' END,
    now() - (%(size)s - n) * interval '2 hours', NULL, 'A thread', texts.text, '',
    CASE WHEN kind = 'message' AND channel = 'email' AND mod(n, 3) = 0 THEN '<p>' || texts.text || '</p>' ELSE '' END,
    '', 'person', '', 'pass', '', '{}', false, n = %(size)s - 1, false, '{}', '', '{}'
FROM generate_series(0, %(size)s - 1) n
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN n = %(size)s - 1 OR mod(n, 10) IN (0, 2, 4, 5, 7, 9) THEN 'message'
            WHEN mod(n, 10) = 3 THEN 'note'
            ELSE 'reply'
        END AS kind,
        CASE WHEN mod(n / 8, 2) = 1 OR n = %(size)s - 1 THEN 'sms' ELSE 'email' END AS channel) what
-- Other words than elsewhere, or every search would find this case and nothing else
JOIN (SELECT id, replace(text, 'delivery', 'arrival') AS text FROM bench_text) texts ON texts.id = mod(n, 4096)
ORDER BY n;

INSERT INTO inbox_delivery
    (uuid, entry_id, part, connector_id, identity_id, text, state, not_before, attempts, claimed_at, sent_at, changed_at,
    reason, code)
SELECT gen_random_uuid(), id, 0, connector_id, identity_id, text, 'delivered', created_at, 1, created_at, created_at,
    created_at, '', ''
FROM inbox_entry WHERE case_id = %(case)s AND kind = 'reply';
