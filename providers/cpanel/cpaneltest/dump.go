package cpaneltest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// DumpOpts is how a dump of mysqldump looks (mariadb.com/docs, "mariadb-dump"; the
// reference manual of MySQL, "mysqldump").
type DumpOpts struct {
	MariaDB    bool      // by mariadb-dump
	Sandbox    bool      // with the line that newer dumps of MariaDB begin with
	NoComments bool      // by --skip-comments: nothing says that it is complete
	NoDate     bool      // by --skip-dump-date
	Date       time.Time // of the end; zero: 2026-11-23 03:00:00
	RowBytes   int       // of text in each row, about; 0: 60
}

// Lines that frame what is in a dump.
const (
	lastOfHead  = "/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;\n"
	firstOfFoot = "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n"
	sandbox     = "/*M!999999\\- enable the sandbox mode */ \n"
)

// MysqlDump writes what mysqldump writes of a database with two tables and so many rows
// in all.
func MysqlDump(w io.Writer, db string, rows int, opts DumpOpts) error {
	b := bufio.NewWriter(w)
	_, _ = b.WriteString(dumpHead(db, opts)) // errors stick until Flush
	first := rows / 10
	dumpTable(b, "wp_options", first, opts)
	dumpTable(b, "wp_posts", rows-first, opts)
	_, _ = b.WriteString(dumpFoot(opts))
	return b.Flush()
}

// Statements are those of [MysqlDump] without the frame: content of a database that
// stays the same from dump to dump.
func Statements(rows int) string {
	var b strings.Builder
	_ = MysqlDump(&b, "", rows, DumpOpts{}) // a Builder takes everything
	return unframe(b.String())
}

func dumpHead(db string, opts DumpOpts) string {
	var b strings.Builder
	if opts.Sandbox {
		b.WriteString(sandbox)
	}
	if !opts.NoComments {
		if opts.MariaDB {
			b.WriteString("-- MariaDB dump 10.19-11.4.3-MariaDB, for Linux (x86_64)\n")
		} else {
			b.WriteString("-- MySQL dump 10.13  Distrib 8.0.39, for Linux (x86_64)\n")
		}
		fmt.Fprintf(&b, "--\n-- Host: localhost    Database: %s\n-- ------------------------------------------------------\n-- Server version\t8.0.39\n\n", db)
	}
	b.WriteString(`/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
` + lastOfHead + "\n")
	return b.String()
}

func dumpFoot(opts DumpOpts) string {
	text := firstOfFoot + `
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

`
	if opts.NoComments {
		return text
	}
	if opts.NoDate {
		return text + "-- Dump completed\n"
	}
	if opts.Date.IsZero() {
		opts.Date = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	}
	return text + "-- Dump completed on " + opts.Date.Format("2006-01-02 ") + fmt.Sprintf("%2d", opts.Date.Hour()) + opts.Date.Format(":04:05") + "\n"
}

func dumpTable(b *bufio.Writer, name string, rows int, opts DumpOpts) {
	if !opts.NoComments {
		fmt.Fprintf(b, "--\n-- Table structure for table `%s`\n--\n\n", name)
	}
	fmt.Fprintf(b, "DROP TABLE IF EXISTS `%[1]s`;\n/*!50503 SET character_set_client = utf8mb4 */;\nCREATE TABLE `%[1]s` (\n  `id` bigint unsigned NOT NULL AUTO_INCREMENT,\n  `name` varchar(191) NOT NULL DEFAULT '',\n  `body` longtext NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=%[2]d DEFAULT CHARSET=utf8mb4;\n\n", name, rows+1)
	if !opts.NoComments {
		fmt.Fprintf(b, "--\n-- Dumping data for table `%s`\n--\n\n", name)
	}
	fmt.Fprintf(b, "LOCK TABLES `%[1]s` WRITE;\n/*!40000 ALTER TABLE `%[1]s` DISABLE KEYS */;\n", name)
	text := strings.Repeat(`It\'s a line of text; with \"quotes\".\n`, max(opts.RowBytes, 40)/40)
	const each = 200 // rows of one INSERT
	for i := range rows {
		switch {
		case i%each == 0:
			fmt.Fprintf(b, "INSERT INTO `%s` VALUES ", name)
		default:
			_ = b.WriteByte(',') // errors stick until Flush
		}
		fmt.Fprintf(b, "(%d,'entry-%d','%s %d')", i+1, i*7919%100003, text, i*i)
		if i%each == each-1 || i == rows-1 {
			_, _ = b.WriteString(";\n") // errors stick until Flush
		}
	}
	fmt.Fprintf(b, "/*!40000 ALTER TABLE `%s` ENABLE KEYS */;\nUNLOCK TABLES;\n", name)
}

// frame makes a dump of statements.
func frame(w io.Writer, db, body string, opts DumpOpts) error {
	for _, part := range []string{dumpHead(db, opts), body, dumpFoot(opts)} {
		if _, err := io.WriteString(w, part); err != nil {
			return err
		}
	}
	return nil
}

// unframe gives the statements of a dump, and of anything else that thing itself.
func unframe(text string) string {
	if _, after, ok := strings.Cut(text, lastOfHead); ok {
		text = strings.TrimPrefix(after, "\n")
	}
	if at := strings.LastIndex(text, firstOfFoot); at >= 0 {
		text = text[:at]
	}
	return text
}

// whole reports whether a text is a whole dump, with or without its end.
func whole(text string) bool {
	return strings.Contains(text, lastOfHead) || strings.HasPrefix(text, "-- MySQL dump") || strings.HasPrefix(text, "-- MariaDB dump") || strings.HasPrefix(text, sandbox)
}
