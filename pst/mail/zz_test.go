package mail
import ("testing";"strings";"time";"runtime")
func TestZ(t *testing.T){
 h:="Subject: x\r\nContent-Type: text/plain\r\n\r\n"
 p,w:=find(t,h+"the offer "+strings.Repeat("words and words\r\n",420_000),"the offer"); t.Log("7MB plain",p,w)
 m:="Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\n\r\n"+strings.Repeat("words and words\r\n",420_000)+"\r\n--b\r\n\r\nthe offer\r\n--b--\r\n"
 p,w=find(t,m,"the offer"); t.Log("behind long",p,w)
 for _,to:=range []string{"Carol Jones","undisclosed: carol jones <a@b>;","\"carol jones","=?utf-8?q?carol_jones","<carol jones@x>","carol jones <a@b"} { p,w=find(t,"To: "+to+"\r\n\r\nx","carol jones"); t.Logf("%q %q %v",to,p,w) }
 p,w=find(t,"Subject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nthe offer \xff\x00","the offer"); t.Log("charset",p,w)
 p,w=find(t,"Subject: x\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\ncaf\xe9 the offer","café the offer"); t.Log("latin",p,w)
 p,w=find(t,"Subject: x\r\nContent-Type: text/html; charset=utf-16le\r\n\r\nt\x00h\x00e\x00","the"); t.Log("u16",p,w)
 p,w=find(t,"Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/enriched\r\n\r\nthe offer\r\n--b--\r\n","the offer"); t.Log("enriched",p,w)
 p,w=find(t,"Subject: x\r\nContent-Type: text/plain; format=flowed\r\n\r\nthe \r\noffer","the offer"); t.Log("flowed",p,w)
 p,w=find(t,"Subject: x\r\nContent-Type: application/octet-stream; name*0*=utf-8''b%C3%BC; name*1*=cher.pdf\r\n\r\nx","bücher.pdf"); t.Log("2231",p,w)
 deep:="Subject: x\r\n"; for i:=range 3000 { b:=string(rune('a'+i%26))+strings.Repeat("x",i%50); deep+="Content-Type: multipart/mixed; boundary="+b+"\r\n\r\n--"+b+"\r\n" }
 rf:=strings.Repeat("Subject: x\r\nContent-Type: message/rfc822\r\n\r\n",300_000)
 for n,s:=range map[string]string{"deep":deep+"\r\nthe offer","rfc":rf,"line":h+strings.Repeat("x",30<<20),"html1":"Subject: x\r\nContent-Type: text/html\r\n\r\n"+strings.Repeat("<p>é",2<<20),"qp":"Subject: x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"+strings.Repeat("=C3=A9",2<<20),"qpsp":"Subject: x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"+strings.Repeat(" ",11<<20),"to":"To: "+strings.Repeat("a@b,",500_000)+"\r\n\r\nx","subj":"Subject: "+strings.Repeat("=?utf-8?q?a?= ",150_000)+"\r\n\r\nx","nul":h+strings.Repeat("\x00",5<<20),"utf7":"Subject: x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n"+strings.Repeat("+AGE-",1<<20),"crs":h+strings.Repeat("\r",5<<20)}{
  var a,b runtime.MemStats; runtime.ReadMemStats(&a); at:=time.Now(); p,w:=find(t,s,"zzzz"); runtime.ReadMemStats(&b)
  t.Logf("%s %d: %v %q %v alloc %d MiB",n,len(s),time.Since(at),p,w,(b.TotalAlloc-a.TotalAlloc)>>20) }
}
