# ActiveRecord: destroy, delete, delete_all, and its statement cache.
require 'active_record'

first = Integer(ENV.fetch('FIRST_ID'))
ActiveRecord::Base.establish_connection(
  adapter: 'postgresql', host: '127.0.0.1', port: ENV.fetch('SEXTON_PORT'), username: 'app', database: 'shop'
)
class Claim < ActiveRecord::Base; end
class Order < ActiveRecord::Base; end

def same(found, expected)
  raise "expected #{expected.inspect}, found #{found.inspect}" unless found == expected
end

ways = [->(model, id) { model.find(id).destroy }, ->(model, id) { same(model.delete(id), 1) },
        ->(model, id) { same(model.where(id: id).delete_all, 1) }]
ways.each_with_index do |remove, number|
  id = first + number
  { Claim => { expires_at: Time.now }, Order => { cents: 100 } }.each do |model, values|
    model.create!(id: id, seat_id: 1, customer_id: 1, **values)
    same(model.exists?(id), true)
    remove.call(model, id)
    same(model.find_by(id: id), nil)
    same(model.where(id: id).count, 0)
    same(model.where(id: id).delete_all, 0)
  end
end
puts "ways #{ways.length}"
