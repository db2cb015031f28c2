using FailoverHub.Web.Alerts.Channels;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>What becomes of a channel's secret when somebody changes where it leads, and what of an address may be seen.</summary>
public sealed class ChannelEditTests
{
    private const string Address = "https://hooks.example.org/services/T000/XXXX?token=hidden";

    [Fact]
    public void Address_OfAWebhook_ShowsItsHostAndAMarkOnly()
    {
        ChannelEdit edit = New(AlertChannelType.Webhook, new ChannelSecret(Address, "key"));

        Assert.Empty(edit.Problems);
        Assert.Equal("https://hooks.example.org", edit.Channel.Origin);
        Assert.Matches(@"^https://hooks\.example\.org/… \([0-9a-f]{6}\)$", edit.Channel.Target);
        Assert.NotEqual(edit.Channel.Mark, New(AlertChannelType.Webhook, new ChannelSecret(Address + "x", "key")).Channel.Mark);
        Assert.Equal(new ChannelSecret(Address, "key"), edit.Secret);
        Assert.DoesNotContain("hidden", edit.Secret.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Address_OfSlack_IsItsSecretAndShowsItsHostOnly() =>
        Assert.Matches(@"^https://hooks\.example\.org/… \([0-9a-f]{6}\)$", New(AlertChannelType.Slack, new ChannelSecret(Address)).Channel.Target);

    [Fact]
    public void Webhook_ChangedWithoutItsAddress_KeepsAddressAndKey()
    {
        ChannelEdit before = New(AlertChannelType.Webhook, new ChannelSecret(Address, "key"));

        ChannelEdit after = ChannelEdit.Of(before.Channel, before.Secret, before.Channel with { MostPerMinute = 3 }, ChannelSecret.None);

        Assert.Empty(after.Problems);
        Assert.Equal(before.Secret, after.Secret);
        Assert.Equal(before.Channel with { MostPerMinute = 3 }, after.Channel);
    }

    [Theory]
    [InlineData("https://hooks.example.org/another", true)]
    [InlineData("https://HOOKS.example.org/services/T000/XXXX", true)]
    [InlineData("https://hooks.example.org:8443/services/T000/XXXX", false)]
    [InlineData("http://hooks.example.org/services/T000/XXXX", false)]
    [InlineData("https://hooks.evil.example/services/T000/XXXX", false)]
    public void Webhook_ThatLeadsToAnotherHost_NeedsItsKeyAnew(string address, bool keeps)
    {
        ChannelEdit before = New(AlertChannelType.Webhook, new ChannelSecret(Address, "key"));

        ChannelEdit moved = ChannelEdit.Of(before.Channel, before.Secret, before.Channel, new ChannelSecret(address));
        ChannelEdit anew = ChannelEdit.Of(before.Channel, before.Secret, before.Channel, new ChannelSecret(address, "another"));

        Assert.Equal(keeps ? [] : ["secret"], moved.Problems.Keys);
        Assert.Equal(keeps ? "key" : null, moved.Secret.Key);
        Assert.Empty(anew.Problems);
        Assert.Equal(new ChannelSecret(address, "another"), anew.Secret);
    }

    [Theory]
    [InlineData("https://events.eu.pagerduty.com", "secret")]
    [InlineData("http://events.eu.pagerduty.com", "secret url")]
    [InlineData(null, "")]
    public void PagerDuty_OfAnotherRegion_NeedsItsKeyAnewAndHttps(string? address, string problems)
    {
        ChannelEdit before = New(AlertChannelType.PagerDuty, new ChannelSecret(null, "routing-key"));

        ChannelEdit moved = ChannelEdit.Of(before.Channel, before.Secret, before.Channel, new ChannelSecret(address));

        Assert.Equal("https://events.pagerduty.com", before.Channel.Target);
        Assert.Equal(problems, string.Join(' ', moved.Problems.Keys));
    }

    [Theory]
    [InlineData("mail.example.org", 587, MailSecurity.StartTls, "hub", true)]
    [InlineData("MAIL.example.org", 587, MailSecurity.Tls, "other", true)]
    [InlineData("mail.evil.example", 587, MailSecurity.StartTls, "hub", false)]
    [InlineData("mail.example.org", 2525, MailSecurity.StartTls, "hub", false)]
    [InlineData("mail.example.org", 587, MailSecurity.None, "hub", false)]
    public void Mail_ThatGoesToAnotherServer_NeedsItsPasswordAnew(string host, int port, MailSecurity security, string user, bool keeps)
    {
        ChannelEdit before = New(AlertChannelType.Email, new ChannelSecret(null, "passw0rd"), Mail());

        ChannelEdit moved = ChannelEdit.Of(before.Channel, before.Secret, before.Channel with { Mail = Mail() with { Host = host, Port = port, Security = security, User = user } }, ChannelSecret.None);

        // Without encryption no password goes to another machine at all.
        string[] problems = security == MailSecurity.None ? ["mail.security", "secret"] : ["secret"];
        Assert.Equal(keeps ? [] : problems, moved.Problems.Keys.Order());
        Assert.Equal(keeps ? "passw0rd" : null, moved.Secret.Key);
    }

    [Fact]
    public void Mail_ThatGoesToAnotherServerWhereNobodySignsIn_ForgetsThePassword()
    {
        ChannelEdit before = New(AlertChannelType.Email, new ChannelSecret(null, "passw0rd"), Mail());

        ChannelEdit moved = ChannelEdit.Of(before.Channel, before.Secret, before.Channel with { Mail = Mail() with { Host = "other.example.org", User = null } }, ChannelSecret.None);

        Assert.Empty(moved.Problems);
        Assert.False(moved.Channel.HasSecret);
    }

    [Theory]
    [InlineData("https://hooks.slack.com/services/T0/B0/X", true)]
    [InlineData("http://hooks.slack.com/services/T0/B0/X", false)]
    [InlineData("http://127.0.0.1:8065/hooks/x", true)]
    [InlineData("http://[::1]:8065/hooks/x", true)]
    [InlineData("http://localhost/hooks/x", false)]
    [InlineData("http://10.0.0.1/hooks/x", false)]
    public void Slack_InClear_OnlyToTheMachineItself(string address, bool allowed) =>
        Assert.Equal(allowed ? [] : ["secret"], New(AlertChannelType.Slack, new ChannelSecret(address)).Problems.Keys);

    [Fact]
    public void SecretThatCannotBeOpenedAnyMore_HasToBeGivenAgain()
    {
        AlertChannel before = New(AlertChannelType.Webhook, new ChannelSecret(Address, "key")).Channel;

        Assert.Equal(["secret", "url"], ChannelEdit.Of(before, null, before, ChannelSecret.None).Problems.Keys);
        Assert.Empty(ChannelEdit.Of(before, null, before, new ChannelSecret(Address, "key")).Problems);
    }

    private static ChannelEdit New(AlertChannelType type, ChannelSecret given, MailSettings? mail = null) =>
        ChannelEdit.Of(null, null, Channel(type: type) with { Origin = null, Mark = null, HasSecret = false, Mail = mail }, given);

    private static MailSettings Mail() => new() { Host = "mail.example.org", Port = 587, User = "hub", From = "hub@example.org", To = ["ops@example.org"] };
}
