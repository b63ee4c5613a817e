# Ruby's pg: with parameters, prepared, and in pipeline mode.
require 'pg'

first = Integer(ENV.fetch('FIRST_ID'))
statements = File.readlines(ENV.fetch('SCENARIO'), chomp: true).reject { |line| line.start_with?('#') }
statements.map! { |line| line.split(' ', 3) }
connection = PG.connect(host: '127.0.0.1', port: ENV.fetch('SEXTON_PORT'), user: 'app', dbname: 'shop')

check = lambda do |(kind, expected, sql), result|
  found = kind == 'rows' ? result.ntuples : result.cmd_tuples
  raise "#{sql}: expected #{expected}, found #{found}" unless found == Integer(expected)
end

statements.each { |line| check.call(line, connection.exec_params(line[2], [first])) }
statements.each_with_index do |line, number|
  connection.prepare("s#{number}", line[2])
  check.call(line, connection.exec_prepared("s#{number}", [first + 1]))
end
connection.enter_pipeline_mode
statements.each { |line| connection.send_query_params(line[2], [first + 2]) }
connection.pipeline_sync
statements.each do |line|
  check.call(line, connection.get_result)
  connection.get_result
end
connection.get_result
connection.exit_pipeline_mode
puts 'ways 3'
