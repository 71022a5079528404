-- Run once, when the MySQL image creates its data: tests make databases of their own beside `gochat`.
GRANT ALL ON `gochat\_%`.* TO 'gochat'@'%';
