-- title: UESCAPE of a name that is not registered
SELECT id, 'tricky' AS U&"\" UESCAPE '!', 1 AS U&"d*0061t" UESCAPE '*' FROM users;
-- refused: unreadable 0A000

-- title: UESCAPE where nothing registered is named
SELECT 'tricky' AS U&"\" UESCAPE '!';
-- unchanged
-- rows:
-- tricky

-- title: UESCAPE of a registered name
SELECT id FROM U&"us!0065rs" UESCAPE '!';
-- refused: unreadable 0A000

-- title: UESCAPE that spells a registered name only with its own escape
SELECT id FROM U&"use*0072s" UESCAPE '*';
-- refused: unreadable 0A000
