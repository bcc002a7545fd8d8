"""SQL as answers hold it, written for the corruption benchmark: PostgreSQL, MySQL, SQLite and what they share."""

_TEXT = """
SELECT id, title FROM books WHERE year >= 1990 ORDER BY title LIMIT 10;
--
SELECT DISTINCT city FROM guests WHERE city IS NOT NULL AND city <> '';
--
SELECT b.title, a.name FROM books AS b INNER JOIN authors AS a ON a.id = b.author_id WHERE a.country = 'NO';
--
SELECT a.name, COUNT(b.id) AS written FROM authors a LEFT JOIN books b ON b.author_id = a.id
GROUP BY a.name HAVING COUNT(b.id) > 3 ORDER BY written DESC, a.name;
--
WITH recent AS (
    SELECT customer_id, MAX(ordered_at) AS last_order FROM orders GROUP BY customer_id
)
SELECT c.name, r.last_order FROM customers c JOIN recent r ON r.customer_id = c.id;
--
WITH RECURSIVE tree AS (
    SELECT id, parent_id, 1 AS depth FROM nodes WHERE parent_id IS NULL
    UNION ALL
    SELECT n.id, n.parent_id, t.depth + 1 FROM nodes n JOIN tree t ON n.parent_id = t.id
)
SELECT id, depth FROM tree ORDER BY depth;
--
SELECT name, salary, RANK() OVER (PARTITION BY department ORDER BY salary DESC) AS place FROM staff;
--
SELECT day, temperature, AVG(temperature) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS week
FROM weather;
--
SELECT CASE WHEN score >= 90 THEN 'A' WHEN score >= 75 THEN 'B' ELSE 'C' END AS grade, COUNT(*) FROM results GROUP BY 1;
--
SELECT * FROM parcels WHERE weight BETWEEN 1.5 AND 20 AND status IN ('sent', 'held') AND note LIKE '%glass%';
--
SELECT name FROM suppliers s WHERE EXISTS (SELECT 1 FROM deliveries d WHERE d.supplier_id = s.id AND d.late);
--
SELECT product_id FROM stock WHERE quantity = 0 UNION SELECT product_id FROM recalls;
--
SELECT COALESCE(nickname, name, 'unknown') AS shown, LENGTH(name) FROM members WHERE LOWER(name) = 'ada';
--
SELECT o.id, (SELECT SUM(price * amount) FROM lines l WHERE l.order_id = o.id) AS total FROM orders o;
--
INSERT INTO rooms (number, beds, price) VALUES (101, 2, 80.00), (102, 1, 55.50);
--
INSERT INTO archive (id, body) SELECT id, body FROM letters WHERE written < '2001-01-01';
--
INSERT INTO counters (name, hits) VALUES ('home', 1) ON CONFLICT (name) DO UPDATE SET hits = counters.hits + 1;
--
UPDATE accounts SET balance = balance - 50, changed_at = CURRENT_TIMESTAMP WHERE id = 7;
--
UPDATE books SET price = price * 1.1 WHERE author_id IN (SELECT id FROM authors WHERE country = 'FI');
--
DELETE FROM sessions WHERE expires_at < NOW();
--
DELETE FROM tickets WHERE id NOT IN (SELECT ticket_id FROM seats);
--
CREATE TABLE gardens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    area NUMERIC(8, 2) CHECK (area > 0),
    opened DATE DEFAULT CURRENT_DATE
);
--
CREATE TABLE IF NOT EXISTS plants (
    id BIGSERIAL PRIMARY KEY,
    garden_id BIGINT NOT NULL REFERENCES gardens (id) ON DELETE CASCADE,
    species VARCHAR(80) NOT NULL,
    planted_at TIMESTAMP WITH TIME ZONE
);
--
CREATE TABLE bookings (
    room INTEGER NOT NULL,
    night DATE NOT NULL,
    guest INTEGER,
    PRIMARY KEY (room, night),
    FOREIGN KEY (guest) REFERENCES guests (id)
);
--
CREATE TABLE members (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(255) NOT NULL) ENGINE=InnoDB;
--
CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT);
--
CREATE UNIQUE INDEX plants_by_species ON plants (species, garden_id);
--
CREATE INDEX IF NOT EXISTS orders_open ON orders (ordered_at) WHERE shipped_at IS NULL;
--
CREATE VIEW busy_rooms AS SELECT room, COUNT(*) AS nights FROM bookings GROUP BY room HAVING COUNT(*) > 20;
--
CREATE OR REPLACE VIEW cheap AS SELECT * FROM rooms WHERE price < 60;
--
CREATE MATERIALIZED VIEW daily AS SELECT date_trunc('day', at) AS day, COUNT(*) AS hits FROM visits GROUP BY 1;
--
ALTER TABLE gardens ADD COLUMN keeper TEXT;
--
ALTER TABLE plants DROP COLUMN planted_at;
--
ALTER TABLE plants RENAME COLUMN species TO kind;
--
ALTER TABLE orders ADD CONSTRAINT positive_total CHECK (total >= 0);
--
DROP TABLE IF EXISTS old_notes;
--
BEGIN;
UPDATE accounts SET balance = balance - 100 WHERE id = 1;
UPDATE accounts SET balance = balance + 100 WHERE id = 2;
COMMIT;
--
START TRANSACTION;
DELETE FROM queue WHERE id = 9;
ROLLBACK;
--
SELECT p.name, s.quantity FROM products p CROSS JOIN LATERAL (SELECT quantity FROM stock WHERE product_id = p.id) s;
--
SELECT data ->> 'name' AS name FROM events WHERE data @> '{"kind": "visit"}';
--
SELECT id::text, created_at::date FROM invoices WHERE created_at > now() - interval '7 days';
--
SELECT `name`, `price` FROM `products` WHERE `stock` > 0 ORDER BY `price` ASC LIMIT 5;
--
SELECT strftime('%Y', sold_at) AS year, SUM(amount) FROM sales GROUP BY year;
--
SELECT EXTRACT(YEAR FROM born) AS year, COUNT(*) FROM people GROUP BY EXTRACT(YEAR FROM born);
--
SELECT string_agg(name, ', ' ORDER BY name) FROM teams;
--
SELECT COUNT(*) FILTER (WHERE won) AS wins, COUNT(*) AS games FROM matches;
--
SELECT a.id FROM a FULL OUTER JOIN b ON a.id = b.id WHERE a.id IS NULL OR b.id IS NULL;
--
SELECT id FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
--
GRANT SELECT, INSERT ON orders TO clerk;
--
EXPLAIN SELECT * FROM orders WHERE customer_id = 4;
--
CREATE FUNCTION total(x INTEGER, y INTEGER) RETURNS INTEGER AS $$ SELECT x + y; $$ LANGUAGE sql;
--
MERGE INTO stock s USING arrivals a ON s.id = a.id
WHEN MATCHED THEN UPDATE SET quantity = s.quantity + a.quantity
WHEN NOT MATCHED THEN INSERT (id, quantity) VALUES (a.id, a.quantity);
--
SELECT name FROM employees WHERE salary > ALL (SELECT salary FROM employees WHERE department = 'Sales');
--
SELECT department, AVG(salary)::numeric(10, 2) AS mean FROM staff GROUP BY ROLLUP (department);
--
SELECT TRIM(BOTH ' ' FROM name), CAST(age AS INTEGER), NULLIF(phone, '') FROM contacts
OFFSET 20 ROWS FETCH NEXT 10 ROWS ONLY;
--
SELECT w.day, w.low, LAG(w.low, 1, 0) OVER w1 AS before FROM weather w WINDOW w1 AS (ORDER BY w.day);
"""
QUERIES = tuple(statement.strip() for statement in _TEXT.split("\n--\n"))
