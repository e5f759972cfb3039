-- Replies by SMS that wait to be sent, each in another case. Values: count, sms (the number's id).
WITH chosen AS (
    SELECT c.id, i.id AS identity
    FROM inbox_case c
    JOIN customers_identity i ON i.customer_id = c.customer_id AND i.kind = 'phone'
    WHERE c.is_live
    ORDER BY c.id
    LIMIT %(count)s OFFSET 100),
entries AS (
    INSERT INTO inbox_entry
        (uuid, case_id, kind, channel, connector_id, identity_id, our_address, agent_id, author, created_at, subject, text,
        quoted, html, remark, classification, reason, authenticity, message_id, headers, sent_outside, is_open, also_sent,
        reactions, event, data)
    SELECT gen_random_uuid(), id, 'reply', 'sms', %(sms)s, identity, '+14155550100', 1, 'Agent 1', now(), '',
        'It left the warehouse this morning and should be with you tomorrow.', '', '', '', 'person', '', 'unknown', '',
        '{}', false, false, false, '{}', '', '{}'
    FROM chosen
    RETURNING id, identity_id, text)
INSERT INTO inbox_delivery
    (uuid, entry_id, part, connector_id, identity_id, text, state, not_before, attempts, changed_at, reason, code)
SELECT gen_random_uuid(), id, 0, %(sms)s, identity_id, text, 'queued', now(), 0, now(), '', '' FROM entries
RETURNING id
