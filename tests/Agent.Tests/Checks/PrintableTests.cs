using System.Text;
using CsCheck;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Checks.Commands;

namespace FailoverHub.Agent.Tests.Checks;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("  two\r\n\tlines \n", "two lines")]
    [InlineData("\u001b[2Jcleared\u0007", "?[2Jcleared?")]
    [InlineData("right\u202eto left\u200b", "right?to left?")]
    [InlineData("\u00e9\u4e2d\ud83d\ude00", "\u00e9\u4e2d\ud83d\ude00")]
    public void WhatATerminalWouldObey_IsMadeHarmless(string text, string expected) => Assert.Equal(expected, Printable.Of(text));

    [Fact]
    public void AnyText_IsOneBoundedLine_WithoutAnythingHidden() =>
        Gen.Select(Gen.String[0, 300], Gen.Int[10, 100]).Sample((text, longest) =>
        {
            var harmless = Printable.Of(text, longest);
            Assert.True(harmless.Length <= longest);
            Assert.DoesNotContain(harmless, c => char.IsControl(c) || (char.IsWhiteSpace(c) && c != ' '));
            Assert.True(Printable.Shortened(harmless, 10).Length <= 10);
        });

    /// <summary>However it comes, the last of it is kept.</summary>
    [Fact]
    public void AnyOutput_InAnyPieces_KeepsItsEnd() =>
        Gen.Byte[32, 126].Array[0, 700].Array[0, 8].Sample(pieces =>
        {
            var tail = new OutputTail();
            foreach (var piece in pieces)
            {
                tail.Add(piece);
            }

            var all = pieces.SelectMany(piece => piece).ToArray();
            Assert.Equal(Printable.Of(Encoding.UTF8.GetString(all.AsSpan(Math.Max(0, all.Length - Printable.Longest)))), tail.ToString());
        });
}
