using CsCheck;
using FailoverHub.Agent.Checks;

namespace FailoverHub.Agent.Tests.Checks;

public sealed class CommandWordsTests
{
    [Theory]
    [InlineData("killall -0 nginx", "killall", "-0", "nginx")]
    [InlineData("  pidof   haproxy ", "pidof", "haproxy")]
    [InlineData("\"/opt/my app/check\" -v", "/opt/my app/check", "-v")]
    [InlineData("/bin/check 'a b' c\"d e\"f", "/bin/check", "a b", "cd ef")]
    [InlineData("/bin/check \"say \\\"hi\\\"\" ''", "/bin/check", "say \"hi\"", "")]
    [InlineData("/bin/check a\\ b", "/bin/check", "a b")]
    [InlineData("/bin/check --with=this '$HOME | x'", "/bin/check", "--with=this", "$HOME | x")]
    [InlineData("/bin/check 'back\\slash'", "/bin/check", "back\\slash")]
    public void WordsAndQuotes_AreTheArguments(string line, params string[] expected) =>
        Assert.Equal(expected, CommandWords.Split(line));

    [Theory]
    [InlineData("</dev/tcp/127.0.0.1/80")]
    [InlineData("pidof nginx && curl -sf http://127.0.0.1/")]
    [InlineData("test -e /run/*.pid")]
    [InlineData("LANG=C /bin/check")]
    [InlineData("/bin/check \"$HOME\"")]
    [InlineData("/bin/check 'not closed")]
    [InlineData("one\ntwo")]
    public void WhatOnlyAShellUnderstands_IsGivenToOne(string line) =>
        Assert.Equal(["/bin/sh", "-c", line], CommandWords.Split(line));

    [Theory]
    [InlineData("")]
    [InlineData("   \t ")]
    public void Nothing_HasNoWords(string line) => Assert.Empty(CommandWords.Split(line));

    [Fact]
    public void AnyLine_HasWordsOrIsForTheShell() =>
        Gen.String[0, 60].Sample(line =>
        {
            var words = CommandWords.Split(line);
            Assert.True(words.IsEmpty == string.IsNullOrWhiteSpace(line.Replace('\n', 'x')));
        });
}
