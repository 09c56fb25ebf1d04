package handlers

import (
	"fmt"
	"slices"
	"strconv"

	"keepwatch"
)

// pageRows is how many rows of a table a page has on a platform. A phone shows
// about so many, and no platform's limit is reached by them.
const pageRows = 15

// takePage takes "--page N" out of the words of a request. What follows "--" are
// names and no options, "--page" among them. Every list can be
// turned over, so it belongs to no command.
func takePage(words []string) (rest []string, page int, err error) {
	at := slices.Index(words, "--page")
	if end := slices.Index(words, "--"); at < 0 || end >= 0 && end < at {
		return words, 1, nil
	}
	if at+1 < len(words) {
		page, _ = strconv.Atoi(words[at+1])
	}
	if page < 1 || page > 1_000_000 {
		return nil, 0, keepwatch.Errorf(keepwatch.KindInvalid, "--page needs the number of a page: --page 2.")
	}
	return slices.Delete(slices.Clone(words), at, at+2), page, nil
}

// paged cuts the long table of a message to one page, with buttons that turn it
// over. A page behind the last one is the last one.
func paged(msg keepwatch.Message, words []string, page int) keepwatch.Message {
	for i, b := range msg.Blocks {
		if b.Table == nil || len(b.Table.Rows) <= pageRows {
			continue
		}
		last := (len(b.Table.Rows) + pageRows - 1) / pageRows
		page = min(page, last)
		from := (page - 1) * pageRows
		cut := keepwatch.Table{Head: b.Table.Head, Rows: b.Table.Rows[from:min(from+pageRows, len(b.Table.Rows))]}
		blocks := slices.Clone(msg.Blocks)
		blocks[i] = keepwatch.Block{Table: &cut}
		msg.Blocks = blocks
		msg.Title = fmt.Sprintf("%s, page %d of %d", msg.Title, page, last)
		end := len(words)
		if at := slices.Index(words, "--"); at >= 0 {
			end = at
		}
		turn := func(label string, to int) {
			msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: label, Command: Quote(slices.Insert(slices.Clone(words), end, "--page", strconv.Itoa(to))...)})
		}
		if page > 1 {
			turn("Back", page-1)
		}
		if page < last {
			turn("More", page+1)
		}
		return msg
	}
	return msg
}
