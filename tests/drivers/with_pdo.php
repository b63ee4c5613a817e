<?php
// PDO: prepared by the server, and with emulated preparation.
$first = (int) getenv('FIRST_ID');
$lines = array_filter(file(getenv('SCENARIO'), FILE_IGNORE_NEW_LINES), fn ($line) => $line[0] !== '#');
$pdo = new PDO('pgsql:host=127.0.0.1;dbname=shop;port=' . getenv('SEXTON_PORT'), 'app');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
foreach ([false, true] as $way => $emulated) {
    $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulated);
    foreach ($lines as $line) {
        [$kind, $expected, $sql] = explode(' ', $line, 3);
        $statement = $pdo->prepare(str_replace('$1', '?', $sql));
        $statement->execute([$first + $way]);
        $found = $kind === 'rows' ? count($statement->fetchAll()) : $statement->rowCount();
        if ($found !== (int) $expected) {
            fwrite(STDERR, "$line: found $found\n");
            exit(1);
        }
    }
}
echo "ways 2\n";
