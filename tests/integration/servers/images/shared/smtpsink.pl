#!/usr/bin/perl
# An SMTP server on the container's own loopback that takes every mail and only logs it.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{CHLD} = 'IGNORE';
my $server = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => 25, Listen => 16, ReuseAddr => 1
) or die "port 25: $!";

sub log_line {
    open(my $log, '>>', '/var/log/mail.sink') or die $!;
    print $log @_;
    close $log;
}

sub serve {
    my ($client) = @_;
    print $client "220 sink ESMTP\r\n";
    while (my $line = <$client>) {
        $line =~ s/\r?\n$//;
        if ($line =~ /^EHLO/i) { print $client "250-sink\r\n250 8BITMIME\r\n" }
        elsif ($line =~ /^(MAIL|RCPT)/i) { log_line("$line\n"); print $client "250 ok\r\n" }
        elsif ($line =~ /^DATA/i) {
            print $client "354 go on\r\n";
            while (my $text = <$client>) {
                last if $text =~ /^\.\r?\n$/;
                log_line("  $text") if $text =~ /^(Subject|To|From|Content-Type|METHOD)\b/i;
            }
            print $client "250 taken\r\n";
        }
        elsif ($line =~ /^QUIT/i) { print $client "221 bye\r\n"; last }
        else { print $client "250 ok\r\n" }
    }
}

while (my $client = $server->accept) {
    next if fork;
    serve($client);
    exit 0;
}
