package mailbox

import (
	"fmt"
	"io"

	"keepwatch"
	"keepwatch/pst/check"
)

// ruinous are the rules of which a breach means that something cannot be read: whoever
// opens the file misses it. What breaks another one is there all the same, and Outlook
// would offer to repair the file.
var ruinous = map[check.Rule]bool{
	check.RuleMagic: true, check.RuleShort: true, check.RuleMagicClient: true, check.RuleVersion: true, check.RuleHeaderCRC: true, check.RuleSentinel: true, check.RuleCrypt: true, check.RuleEOF: true,
	check.RuleOverlap: true, check.RulePageTwice: true, check.RulePageMissing: true, check.RulePageType: true, check.RulePageBID: true, check.RulePageSig: true, check.RulePageCRC: true, check.RulePageLevel: true, check.RulePageCount: true, check.RuleKeyOrder: true, check.RuleKeyRange: true,
	check.RuleBlockSize: true, check.RuleBlockPlace: true, check.RuleBlockMissing: true, check.RuleBlockCB: true, check.RuleBlockBID: true, check.RuleBlockSig: true, check.RuleBlockCRC: true, check.RuleInternal: true, check.RuleBlockKind: true, check.RuleXCount: true, check.RuleTotal: true, check.RuleShared: true,
	check.RuleHeapMissing: true, check.RuleHeapSig: true, check.RuleHeapMap: true, check.RuleHeapItems: true, check.RuleTreeHead: true, check.RuleTreeItem: true, check.RuleValueItem: true, check.RuleValueNode: true, check.RuleTableHead: true, check.RuleMatrix: true, check.RuleRowIndex: true,
	check.RuleRowDangling: true, check.RuleCircle: true,
}

// examine checks the structure of a file strictly. It reads all of it once; it takes some
// 50 bytes of memory for each block of the file, so about 60 MB for one of 10 GB. An
// error is one of r.
func examine(r io.ReaderAt, size int64) (*keepwatch.MailCheck, error) {
	report, err := check.File(r, size, check.Options{})
	if err != nil {
		return nil, err
	}
	c := &keepwatch.MailCheck{Findings: int64(len(report.Findings)), Cut: report.Truncated}
	for _, f := range report.Findings {
		how := keepwatch.MailRepair
		switch {
		case ruinous[f.Rule]:
			how = keepwatch.MailRuined
		case f.Severity == check.Advice:
			how = keepwatch.MailOdd
		}
		if rank(how) > rank(c.Worst) {
			c.Worst, c.Text = how, fmt.Sprintf("%s (%s, at byte %s)", sentence(f.Text), f.Rule, keepwatch.FormatCount(f.Offset, ""))
		}
	}
	return c, nil
}

// rank orders how bad a finding is.
func rank(w keepwatch.MailWorst) int {
	switch w {
	case keepwatch.MailOdd:
		return 1
	case keepwatch.MailRepair:
		return 2
	case keepwatch.MailRuined:
		return 3
	}
	return 0
}
