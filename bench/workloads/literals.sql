\set number random(1, 1000000000)
SELECT abalance, :number FROM pgbench_accounts WHERE aid = 4711;
