package graph

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
)

// Page is one page of a list. With Next there is another one; with Delta the list is at
// its end, and Delta gives what changes from now on. Both are whole addresses, and their
// origin has been looked at.
type Page struct {
	Items []json.RawMessage
	Cut   map[int]bool // of Items: a text was longer than Request.Longest, and is empty
	Next  string
	Delta string
	Size  int // the page size that was asked for
}

// Pages reads a list page by page, from a path, a nextLink or a deltaLink on. It ends
// after the last page or the first error. Graph may give an item twice, and whoever needs
// each once sees to it.
//
// A page that takes too long, or is longer than the bound, is asked for again at half the
// size, and the size grows back by and by.
func (c *Client) Pages(ctx context.Context, mailbox, first string) iter.Seq2[Page, error] {
	return c.PagesOf(ctx, mailbox, Request{URL: first})
}

// PagesOf is Pages with a PageSize, headers or a Limit of a page of one's own. With Longest
// it is for those who read many folders at once: the bound is 1 MiB then, and where the
// smallest page is longer than that, its first item is asked for alone, up to the configured
// bound, by one at a time (Large) until whoever reads asks for the next page. They must not
// call Large meanwhile.
func (c *Client) PagesOf(ctx context.Context, mailbox string, r Request) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		most := r.PageSize
		if most == 0 {
			most = c.config.PageSize
		}
		size, good, before, seed := most, 0, map[uint64]bool{}, maphash.MakeSeed() // links are long, and a folder has many
		for {
			r.PageSize = size
			r.impatient = size > smallestPage
			page, leave, err := c.pageAlone(ctx, mailbox, r)
			if err != nil && r.impatient && tooMuch(err) {
				size, good = max(size/2, smallestPage), 0
				c.log.Info("a page of Graph is asked for again with fewer items", "mailbox", mailbox, "path", pathOf(r.URL), "size", size)
				continue
			}
			if err == nil && page.Next != "" && before[maphash.String(seed, page.Next)] {
				err = fmt.Errorf("read %s: a page leads back to one before it", pathOf(r.URL))
			}
			more := true
			if err != nil {
				page, more = Page{}, false
			}
			func() {
				defer leave()
				more = yield(page, err) && more
			}()
			if !more || page.Next == "" {
				return
			}
			before[maphash.String(seed, page.Next)] = true
			r.URL = page.Next
			if good++; good >= growAfter && size < most {
				size, good = min(size*2, most), 0
			}
		}
	}
}

// pageAlone reads a page, one that is long where it has the smallest size as the only one of
// the client. leave is called when nothing of it is held any more.
func (c *Client) pageAlone(ctx context.Context, mailbox string, r Request) (page Page, leave func(), err error) {
	leave, most := func() {}, c.config.MostPage
	if r.Limit > 0 || r.Longest == 0 || most <= smallPage {
		page, err = c.page(ctx, mailbox, r)
		return page, leave, err
	}
	r.Limit = smallPage
	page, err = c.page(ctx, mailbox, r)
	if r.impatient || !errors.Is(err, ErrTooLarge) {
		return page, leave, err
	}
	alone, err := c.Large(ctx)
	if err != nil {
		return Page{}, leave, err
	}
	r.Limit, r.PageSize = most, 1
	page, err = c.page(ctx, mailbox, r)
	return page, alone, err
}

// growAfter is after how many good pages the size is doubled again.
const growAfter = 10

// tooMuch reports whether a smaller page may help.
func tooMuch(err error) bool {
	var e *Error
	return errors.Is(err, ErrTooLarge) || errors.As(err, &e) && e.slow()
}

func (c *Client) page(ctx context.Context, mailbox string, r Request) (Page, error) {
	var page Page
	mark, most := "", r.Limit
	if r.Longest > 0 {
		if most == 0 {
			most = c.config.MostPage
		}
		r.Limit = longestPage // with the texts, which are not held
		if r.impatient {
			r.Limit = longestQuick
		}
	}
	err := c.Read(ctx, mailbox, r, func(answer io.Reader) (err error) {
		if r.Longest > 0 {
			mark = rand.Text()
			answer = Bounded(Shorten(answer, r.Longest, func(int) string { return mark }), most)
		}
		page, err = decodePage(answer)
		return err
	})
	if err != nil {
		return Page{}, fmt.Errorf("read %s: %w", pathOf(r.URL), err)
	}
	for _, link := range []string{page.Next, page.Delta} {
		if link == "" {
			continue
		}
		if _, err := c.resolve(Request{URL: link}); err != nil || link[0] == '/' {
			return Page{}, fmt.Errorf("read %s: a page leads elsewhere: %w", pathOf(r.URL), ErrOtherHost)
		}
	}
	for i, item := range page.Items {
		if mark != "" && bytes.Contains(item, []byte(mark)) {
			if page.Cut == nil {
				page.Cut = map[int]bool{}
			}
			page.Items[i], page.Cut[i] = bytes.ReplaceAll(item, []byte(mark), nil), true
		}
	}
	page.Size = r.PageSize
	return page, nil
}

// decodePage reads {"value":[…],"@odata.nextLink":…} as it comes, in any order of its
// members. Of what is of no use nothing is kept.
func decodePage(from io.Reader) (Page, error) {
	var page Page
	d := json.NewDecoder(from)
	if err := expect(d, '{'); err != nil {
		return Page{}, err
	}
	listed := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return Page{}, err
		}
		switch key {
		case "value":
			listed = true
			if err := expect(d, '['); err != nil {
				return Page{}, err
			}
			for d.More() {
				var item json.RawMessage
				if err := d.Decode(&item); err != nil {
					return Page{}, err
				}
				page.Items = append(page.Items, item)
			}
			err = expect(d, ']')
		case "@odata.nextLink":
			err = d.Decode(&page.Next)
		case "@odata.deltaLink":
			err = d.Decode(&page.Delta)
		default:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
		if err != nil {
			return Page{}, err
		}
	}
	if err := expect(d, '}'); err != nil {
		return Page{}, err
	}
	if !listed {
		return Page{}, errors.New("the page has no list in it")
	}
	return page, nil
}

func expect(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%v is there in place of %v", t, want)
	}
	return nil
}
