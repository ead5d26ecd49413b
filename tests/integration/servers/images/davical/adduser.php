<?php
// adduser.php NAME PASSWORD: through DAViCal's own classes, so that an account has the collections
// that its administration page would make. They expect to be called by a web server.
$_SERVER['SERVER_NAME'] = 'localhost';
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['SCRIPT_NAME'] = '/davical/caldav.php';
$_SERVER['REMOTE_ADDR'] = '127.0.0.1';
$_SERVER['SERVER_PORT'] = 80;
$_SERVER['HTTP_USER_AGENT'] = 'adduser';
$_SERVER['DOCUMENT_ROOT'] = '/usr/share/davical/htdocs';
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
chdir('/usr/share/davical/htdocs');
require_once './always.php';
require_once 'AuthPlugins.php';
require_once 'Session.php';
$session = (object) ['user_no' => 1, 'logged_in' => true, 'principal_id' => 1];
require_once 'auth-functions.php';
require_once 'Principal.php';

[, $name, $password] = $argv;
$principal = new Principal('username', $name);
$principal->Create([
    'username' => $name,
    'password' => "**$password",
    'fullname' => ucfirst($name),
    'displayname' => ucfirst($name),
    'email' => "$name@example.org",
    'email_ok' => date('Y-m-d'),
    'active' => true,
    'type_id' => 1,
    'default_privileges' => str_repeat('0', 24),
]);
CreateHomeCollections($name);
CreateDefaultRelationships($name);
