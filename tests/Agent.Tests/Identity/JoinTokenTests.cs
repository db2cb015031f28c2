using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Tests.Identity;

public sealed class JoinTokenTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void WithFingerprint_NamesThatAuthorityAndNoOther_AndOnlyTheSecretIsForTheHub()
    {
        using var other = new TestAuthority();
        var (token, problem) = JoinToken.Parse($"  {_authority.Token("one")}\n");

        Assert.Null(problem);
        Assert.Equal(TestAuthority.Secret("one"), token!.Secret);
        Assert.True(token.NamesAuthority);
        Assert.True(token.Names(_authority.Certificate.RawData));
        Assert.False(token.Names(other.Certificate.RawData));
        Assert.DoesNotContain(token.Secret[4..], token.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutFingerprint_NamesNoAuthority()
    {
        var token = JoinToken.Parse(TestAuthority.Secret("one")).Token!;

        Assert.False(token.NamesAuthority);
        Assert.False(token.Names(_authority.Certificate.RawData));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("fhj_")]
    [InlineData("fhj_short")]
    [InlineData("fhx_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("fhj_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.")]
    [InlineData("fhj_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.short")]
    [InlineData("fhj_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("fhj_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA AA")]
    public void WhatIsNotWhole_IsRefused_WithoutSayingIt(string text)
    {
        var (token, problem) = JoinToken.Parse(text);

        Assert.Null(token);
        Assert.NotNull(problem);
        Assert.DoesNotContain("AAAA", problem, StringComparison.Ordinal);
    }
}
