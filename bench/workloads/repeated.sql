SELECT abalance, 1 FROM pgbench_accounts WHERE aid = 4711;
