using System.Text;
using CsCheck;
using FailoverHub.Agent.Discovery;

namespace FailoverHub.Agent.Tests.Discovery;

public sealed class HttpReadingTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello")]
    [InlineData("HTTP/1.0 200 OK\r\ncontent-length:5\r\n\r\nhello", "hello")]
    [InlineData("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello and what nobody asked for", "hello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;name=value\r\nlo\r\n0\r\n\r\n", "hello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "")]
    public void WholeAnswer_IsRead_AlsoWhileTheConnectionIsOpen(string text, string body)
    {
        var whole = Assert.IsType<HttpReading.Whole>(Read(text, ended: false));

        Assert.Equal(body, Encoding.UTF8.GetString(whole.Answer.Body));
    }

    [Fact]
    public void AnswerWithoutALength_IsWholeWhenTheConnectionEnds()
    {
        const string text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello";

        Assert.IsType<HttpReading.NotYet>(Read(text, ended: false));
        Assert.Equal("hello", Encoding.UTF8.GetString(Assert.IsType<HttpReading.Whole>(Read(text, ended: true)).Answer.Body));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n")]
    public void EveryBeginningOfAnAnswer_IsNotYetOne_AndRefusedWhenItIsAllThatComes(string text)
    {
        for (var length = 0; length < text.Length; length++)
        {
            Assert.IsType<HttpReading.NotYet>(Read(text[..length], ended: false));
            Assert.IsType<HttpReading.Refused>(Read(text[..length], ended: true));
        }
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 999 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno header\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n: no name\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n")]
    public void Nonsense_IsRefused_InWords(string text)
    {
        Assert.NotEqual("", Assert.IsType<HttpReading.Refused>(Read(text, ended: false)).Problem);
    }

    [Fact]
    public void RandomBytes_AreNeverMoreThanRefused()
    {
        string[] beginnings = ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: "];
        Gen.Select(Gen.Int[0, beginnings.Length - 1], Gen.Byte.Array[0, 64], Gen.Bool).Sample((beginning, rest, ended) =>
        {
            Assert.NotNull(HttpReading.Of([.. Encoding.ASCII.GetBytes(beginnings[beginning]), .. rest], ended));
        });
    }

    private static HttpReading Read(string text, bool ended) => HttpReading.Of(Encoding.ASCII.GetBytes(text), ended);
}
