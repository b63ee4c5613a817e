# DBD::Pg: prepared by the server at once, later, and never.
use strict;
use warnings;
use DBI;

my $first = $ENV{FIRST_ID};
open(my $file, '<', $ENV{SCENARIO}) or die $!;
my @lines = grep { !/^#/ } <$file>;
my $db = DBI->connect("dbi:Pg:host=127.0.0.1;dbname=shop;port=$ENV{SEXTON_PORT}", 'app', '', { RaiseError => 1 });
for my $way (0 .. 2) {
    $db->{pg_server_prepare} = $way != 2;
    $db->{pg_switch_prepared} = $way == 0 ? 1 : 2;
    for my $line (@lines) {
        chomp(my $copy = $line);
        my ($kind, $expected, $sql) = split / /, $copy, 3;
        my $statement = $db->prepare($sql);
        my $found = $statement->execute($first + $way);
        $found = @{ $statement->fetchall_arrayref } if $kind eq 'rows';
        die "$copy: found $found\n" unless $found == $expected;
    }
}
print "ways 3\n";
