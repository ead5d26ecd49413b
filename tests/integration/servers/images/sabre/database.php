<?php
// Makes the tables of sabre's own examples, and the accounts of CALDAV_USERS.
mkdir('/srv/data');
$pdo = new PDO('sqlite:/srv/data/db.sqlite');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
foreach (['principals', 'users', 'calendars', 'locks'] as $table) {
    foreach (glob("/usr/share/doc/php-sabre-dav/examples/sql/sqlite.$table.sql*") as $file) {
        $sql = file_get_contents($file);
        $pdo->exec(str_ends_with($file, '.gz') ? gzdecode($sql) : $sql);
    }
}
$pdo->exec('delete from users');
$pdo->exec('delete from principals');
$user = $pdo->prepare('insert into users (username, digesta1) values (?, ?)');
$principal = $pdo->prepare('insert into principals (uri, email, displayname) values (?, ?, ?)');
$calendar = $pdo->prepare(
    'insert into calendars (principaluri, displayname, uri, ctag, components, transparent, calendarorder)'
    . " values (?, 'Default calendar', 'default', 1, 'VEVENT,VTODO', 0, 0)"
);
foreach (explode(' ', getenv('CALDAV_USERS')) as $pair) {
    [$name, $password] = explode(':', $pair, 2);
    $user->execute([$name, md5("$name:SabreDAV:$password")]);
    $principal->execute(["principals/$name", "$name@example.org", ucfirst($name)]);
    $principal->execute(["principals/$name/calendar-proxy-read", null, null]);
    $principal->execute(["principals/$name/calendar-proxy-write", null, null]);
    $calendar->execute(["principals/$name"]);
}
