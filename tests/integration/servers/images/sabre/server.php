<?php
date_default_timezone_set('UTC');
// It was written for PHP 5.3, and what a later PHP says of that would stand in its answers.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
set_include_path('/usr/share/php');
require 'Sabre/autoload.php';

$pdo = new PDO('sqlite:/srv/data/db.sqlite');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$pdo->exec('PRAGMA busy_timeout=10000');

class Basic extends Sabre\DAV\Auth\Backend\AbstractBasic
{
    public $pdo;

    protected function validateUserPass($username, $password)
    {
        $found = $this->pdo->prepare('select digesta1 from users where username=?');
        $found->execute([$username]);
        $digest = $found->fetchColumn();
        return $digest !== false && hash_equals($digest, md5("$username:SabreDAV:$password"));
    }
}

$auth = new Basic();
$auth->pdo = $pdo;
$principals = new Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$server = new Sabre\DAV\Server([
    new Sabre\CalDAV\Principal\Collection($principals),
    new Sabre\CalDAV\CalendarRootNode($principals, new Sabre\CalDAV\Backend\PDO($pdo)),
]);
$server->setBaseUri('/dav.php/');
$server->addPlugin(new Sabre\DAV\Auth\Plugin($auth, 'SabreDAV'));
$server->addPlugin(new Sabre\DAVACL\Plugin());
$server->addPlugin(new Sabre\CalDAV\Plugin());
$server->addPlugin(new Sabre\DAV\Browser\Plugin());
$server->exec();
