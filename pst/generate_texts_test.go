package pst_test

// manyScripts are twenty ways of writing, and what is hard besides: right to left, letters
// made of several marks, letters outside the first 65,536. Each is the name of a folder
// and begins subjects, names and bodies.
var manyScripts = []struct{ name, text string }{
	{"Latin", "Sauvegardé à Łódź, größer"},
	{"Greek", "Αντίγραφο ασφαλείας"},
	{"Cyrillic", "Резервная копия"},
	{"Armenian", "Պահուստային պատճեն"},
	{"Hebrew", "גיבוי תיבת דואר"},
	{"Arabic", "نسخة احتياطية"},
	{"Devanagari", "बैकअप प्रतिलिपि"},
	{"Bengali", "ব্যাকআপ কপি"},
	{"Gurmukhi", "ਬੈਕਅੱਪ ਕਾਪੀ"},
	{"Gujarati", "બેકઅપ નકલ"},
	{"Tamil", "காப்புப் பிரதி"},
	{"Telugu", "బ్యాకప్ కాపీ"},
	{"Thai", "สำเนาสำรอง"},
	{"Lao", "ສຳເນົາສຳຮອງ"},
	{"Tibetan", "ཉར་ཚགས་འདྲ་བཤུས"},
	{"Georgian", "სარეზერვო ასლი"},
	{"Hangul", "백업 사본"},
	{"Ethiopic", "የመጠባበቂያ ቅጂ"},
	{"Khmer", "ច្បាប់បម្រុងទុក"},
	{"Han", "備份副本 备份"},
	{"Hiragana", "ひらがなのめも"},
	{"Katakana", "バックアップ"},
	{"Gothic", "𐌲𐌿𐍄𐌹𐍃𐌺"},
	{"emoji", "📬 👩‍👩‍👧 🏴󠁧󠁢󠁷󠁬󠁳󠁿"},
	{"combining marks", "Z̷̡a̴l͟g̕o é ö"},
	{"both directions", "invoice חשבונית 42 فاتورة"},
}

// boundaries are the lengths in bytes at which something changes: the largest item of a
// heap (3,580), the payload of a block (8,176), two blocks, and an XBLOCK (1,021
// blocks; more makes an XXBLOCK), [MS-PST] 2.3.1.1 and 2.2.2.8.
var boundaries = []int64{0, 1, 2, 3579, 3580, 3581, 3582, 8175, 8176, 8177, 8178, 16351, 16352, 16353, 24528}

// bigBoundaries are those of an XBLOCK and of the second one below an XXBLOCK.
var bigBoundaries = []int64{1021*8176 - 1, 1021 * 8176, 1021*8176 + 1, 2*1021*8176 + 1}
