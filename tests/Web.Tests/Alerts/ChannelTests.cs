using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.Extensions.DependencyInjection;
using MimeKit;
using SmtpServer.Protocol;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>Each way to send, against a real server: what arrives, and what is said of what does not.</summary>
public sealed class ChannelTests : IAsyncLifetime
{
    private static readonly Alert Silent = new()
    {
        Id = "0199a1b2",
        Key = AlertMaking.Key,
        Kind = AlertKind.NodeLink,
        RuleName = "Silent node",
        Severity = EventSeverity.Critical,
        About = "node node-a",
        Node = "node-a",
        Pair = "web",
        Text = "node-a is silent <since> & \"then\".",
        RaisedAt = Make.At,
    };

    private readonly ServiceProvider _services;
    private Receiver _receiver = null!;

    public ChannelTests()
    {
        var services = new ServiceCollection();
        AlertHttp.Add(services);
        _services = services.AddSingleton<AlertHttp>().AddSingleton(TimeProvider.System).AddSingleton<WebhookSender>().AddSingleton<SlackSender>().AddSingleton<PagerDutySender>().AddSingleton<MailSender>().BuildServiceProvider();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _receiver = await Receiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Webhook_IsSignedSoThatItsReceiverCanCheckIt()
    {
        SendResult result = await SendAsync<WebhookSender>(Hook(), "s3cret", AlertNoticeKind.Raised);

        Assert.Equal(SendResult.Took("204"), result);
        Received got = await _receiver.NextAsync();
        Assert.Equal(("/hook", "alert.raised", "7"), (got.Path, got.Headers["X-FailoverHub-Event"], got.Headers["X-FailoverHub-Delivery"]));
        string expected = Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData("s3cret"u8.ToArray(), Encoding.UTF8.GetBytes($"{got.Headers["X-FailoverHub-Timestamp"]}.{got.Body}")));
        Assert.Equal($"v1={expected}", got.Headers["X-FailoverHub-Signature"]);
        JsonNode body = JsonNode.Parse(got.Body)!;
        Assert.Equal(("alert.raised", "critical", 7L), ((string?)body["event"], (string?)body["severity"], (long)body["id"]!));
        Assert.Equal(("0199a1b2", "node-link", "node-a", "web"), ((string?)body["alerts"]![0]!["id"], (string?)body["alerts"]![0]!["kind"], (string?)body["alerts"]![0]!["node"], (string?)body["alerts"]![0]!["pair"]));
    }

    [Theory]
    [InlineData(400, false)]
    [InlineData(413, false)]
    [InlineData(401, true)]
    [InlineData(404, true)]
    [InlineData(410, true)]
    [InlineData(429, true)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    public async Task Webhook_RefusedByItsReceiver_SaysWhatWasAnswered(int status, bool isOfChannel)
    {
        _receiver.Answer = _ => Task.FromResult((status, "no\nway"));

        SendResult result = await SendAsync<WebhookSender>(Hook(), null, AlertNoticeKind.Raised);

        Assert.Equal(new SendResult($"{status}", $"It answered {status}: no way", isOfChannel), result);
        Assert.False((await _receiver.NextAsync()).Headers.ContainsKey("X-FailoverHub-Signature"));
    }

    [Fact]
    public async Task Redirect_IsNotFollowed()
    {
        _receiver.Answer = got => Task.FromResult((got.Path == "/hook" ? 307 : 204, ""));
        _receiver.AnswerHeaders["Location"] = new Uri(_receiver.Url, "/elsewhere").AbsoluteUri;

        SendResult result = await SendAsync<WebhookSender>(Hook(), null, AlertNoticeKind.Raised);

        Assert.Equal("It answered 307: redirects are not followed, write the address that it leads to", result.Error);
        Assert.Single(_receiver.Rest());
    }

    [Fact]
    public async Task HugeAnswer_IsReadOnlyAtItsBeginning()
    {
        _receiver.Answer = _ => Task.FromResult((400, new string('x', 10_000_000)));

        SendResult result = await SendAsync<WebhookSender>(Hook(), null, AlertNoticeKind.Raised);

        Assert.InRange(result.Error!.Length, 200, 260);
    }

    [Fact]
    public async Task NobodyThere_IsAResultWithoutTheSecret()
    {
        string url;
        await using (Receiver gone = await Receiver.StartAsync())
        {
            url = new Uri(gone.Url, "/services/T000/B000/XXXX").AbsoluteUri;
        }

        SendResult result = await SendAsync<SlackSender>(Channel(AlertChannelType.Slack), url, AlertNoticeKind.Raised);

        Assert.True(result.IsOfChannel);
        Assert.DoesNotContain("XXXX", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("169.254.169.254", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("fe80::1", false)]
    [InlineData("100.100.100.200", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("64:ff9b::a9fe:a9fe", false)]
    [InlineData("::169.254.169.254", false)]
    [InlineData("2002:a9fe:a9fe::1", false)]
    [InlineData("::1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.1", true)]
    [InlineData("2001:db8::1", true)]
    public void Address_OfACloudsMetadataIsNeverConnectedTo(string address, bool allowed) => Assert.Equal(allowed, GuardedConnection.IsAllowed(IPAddress.Parse(address)));

    [Fact]
    public async Task Webhook_ToTheMetadataService_IsRefusedBeforeItIsConnectedTo()
    {
        SendResult result = await _services.GetRequiredService<WebhookSender>().SendAsync(Hook(), new ChannelSecret("http://169.254.169.254/latest/meta-data"), new OutgoingMessage(7, AlertMessage.Of(Silent, AlertNoticeKind.Raised, Make.At)), Stop);

        Assert.Contains("does not send to", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slack_GetsTextAndColourWithItsMarkupEscaped()
    {
        Assert.Null((await SendAsync<SlackSender>(Channel(AlertChannelType.Slack), new Uri(_receiver.Url, "/services/T0/B0/X").AbsoluteUri, AlertNoticeKind.Raised)).Error);

        Received got = await _receiver.NextAsync();
        Assert.Equal("/services/T0/B0/X", got.Path);
        JsonNode body = JsonNode.Parse(got.Body)!;
        Assert.Equal("*Critical* Silent node, node node-a. node-a is silent &lt;since&gt; &amp; \"then\".", (string?)body["text"]);
        Assert.Equal("#bf1f2b", (string?)body["attachments"]![0]!["color"]);
    }

    [Theory]
    [InlineData(AlertNoticeKind.Raised, "trigger")]
    [InlineData(AlertNoticeKind.Reminder, "trigger")]
    [InlineData(AlertNoticeKind.Acknowledged, "acknowledge")]
    [InlineData(AlertNoticeKind.Resolved, "resolve")]
    public async Task PagerDuty_OpensAcknowledgesAndClosesOneIncident(AlertNoticeKind kind, string action)
    {
        _receiver.Answer = _ => Task.FromResult((202, """{"status":"success"}"""));

        Assert.Equal(SendResult.Took("202"), await SendAsync<PagerDutySender>(Channel(AlertChannelType.PagerDuty) with { Origin = _receiver.Url.AbsoluteUri }, "key", kind));

        Received got = await _receiver.NextAsync();
        JsonNode body = JsonNode.Parse(got.Body)!;
        Assert.Equal(("/v2/enqueue", action, "failoverhub-0199a1b2", "key"), (got.Path, (string?)body["event_action"], (string?)body["dedup_key"], (string?)body["routing_key"]));
        Assert.Equal(action == "trigger" ? "critical" : null, (string?)body["payload"]?["severity"]);
        Assert.Equal(action == "trigger" ? "node-a" : null, (string?)body["payload"]?["source"]);
    }

    [Fact]
    public async Task PagerDuty_TestOpensAnIncidentAndClosesItAgain()
    {
        Assert.Null((await _services.GetRequiredService<PagerDutySender>().SendAsync(Channel(AlertChannelType.PagerDuty) with { Origin = _receiver.Url.AbsoluteUri }, new ChannelSecret(null, "key"), new OutgoingMessage(1, AlertMessage.Test("pager", "alice", Make.At)), Stop)).Error);

        string?[] actions = [.. _receiver.Rest().Select(r => (string?)JsonNode.Parse(r.Body)!["event_action"])];
        Assert.Equal(["trigger", "resolve"], actions);
    }

    [Fact]
    public async Task Links_LeadToAlertAndPairWhereTheDashboardsAddressIsKnown()
    {
        AlertMessage message = Links("https://hub.example").Into(AlertMessage.Of(Silent with { Pair = "web & co" }, AlertNoticeKind.Raised, Make.At));
        AlertMessage summary = Links("https://hub.example").Into(AlertMessage.Summary([message, message], Make.At));
        var outgoing = new OutgoingMessage(7, message);
        await _services.GetRequiredService<WebhookSender>().SendAsync(Hook(), new ChannelSecret(_receiver.Url.AbsoluteUri), outgoing, Stop);
        await _services.GetRequiredService<SlackSender>().SendAsync(Channel(AlertChannelType.Slack), new ChannelSecret(_receiver.Url.AbsoluteUri), outgoing, Stop);
        await _services.GetRequiredService<PagerDutySender>().SendAsync(Channel(AlertChannelType.PagerDuty) with { Origin = _receiver.Url.AbsoluteUri }, new ChannelSecret(null, "key"), outgoing, Stop);

        string webhook = (await _receiver.NextAsync()).Body, slack = (await _receiver.NextAsync()).Body;
        JsonNode pager = JsonNode.Parse((await _receiver.NextAsync()).Body)!;
        Assert.Equal(("https://hub.example/alerts/0199a1b2", "https://hub.example/pairs/web%20%26%20co"), ((string?)JsonNode.Parse(webhook)!["url"], (string?)JsonNode.Parse(webhook)!["alerts"]![0]!["pairUrl"]));
        Assert.Contains("<https://hub.example/alerts/0199a1b2|open>", (string?)JsonNode.Parse(slack)!["attachments"]![0]!["text"], StringComparison.Ordinal);
        Assert.Contains("pair <https://hub.example/pairs/web%20%26%20co|web &amp; co>", (string?)JsonNode.Parse(slack)!["attachments"]![0]!["text"], StringComparison.Ordinal);
        Assert.Equal(("https://hub.example/alerts/0199a1b2", "https://hub.example/pairs/web%20%26%20co"), ((string?)pager["client_url"], (string?)pager["links"]![0]!["href"]));
        Assert.Contains("\n  https://hub.example/alerts/0199a1b2\n", MailSender.Compose(Mail(25).Mail!, outgoing).TextBody, StringComparison.Ordinal);
        Assert.Equal("https://hub.example/alerts", summary.Url);
        Assert.Same(message, Links(null).Into(message));
    }

    [Fact]
    public async Task Mail_ArrivesWithSubjectTextAndAsOneConversation()
    {
        await using MailServer server = await MailServer.StartAsync("hub", "passw0rd");
        AlertChannel channel = Mail(server.Port) with { HasSecret = true };
        channel = channel with { Mail = channel.Mail! with { User = "hub" } };

        Assert.Null((await SendAsync<MailSender>(channel, "passw0rd", AlertNoticeKind.Raised)).Error);
        Assert.Null((await SendAsync<MailSender>(channel, "passw0rd", AlertNoticeKind.Resolved)).Error);

        MimeMessage raised = await server.NextAsync();
        MimeMessage resolved = await server.NextAsync();
        Assert.Equal("[FailoverHub] critical: Silent node, node node-a", raised.Subject);
        Assert.Equal(["ops@example.org", "noc@example.org"], raised.To.Mailboxes.Select(m => m.Address));
        Assert.Contains("node-a is silent <since> & \"then\".", raised.TextBody, StringComparison.Ordinal);
        Assert.Equal("auto-generated", raised.Headers["Auto-Submitted"]);
        Assert.Equal("[FailoverHub] over: Silent node, node node-a", resolved.Subject);
        Assert.Equal(raised.MessageId, resolved.InReplyTo);
    }

    [Fact]
    public async Task Mail_WithTheWrongPassword_IsSaidSo()
    {
        await using MailServer server = await MailServer.StartAsync("hub", "passw0rd");
        AlertChannel channel = Mail(server.Port);

        SendResult result = await SendAsync<MailSender>(channel with { Mail = channel.Mail! with { User = "hub" } }, "wrong", AlertNoticeKind.Raised);

        Assert.True(result.IsOfChannel);
        Assert.Contains("refused the name or the password", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mail_ToAServerWithoutTls_IsNotSentWhereTlsIsWanted()
    {
        await using MailServer server = await MailServer.StartAsync();
        AlertChannel channel = Mail(server.Port);

        SendResult result = await SendAsync<MailSender>(channel with { Mail = channel.Mail! with { Security = MailSecurity.StartTls } }, null, AlertNoticeKind.Raised);

        Assert.NotNull(result.Error);
    }

    [Fact]
    public async Task Mail_RefusedByTheServer_SaysItsWords()
    {
        await using MailServer server = await MailServer.StartAsync();
        server.Answer = new SmtpResponse(SmtpReplyCode.SizeLimitExceeded, "too much mail");

        SendResult result = await SendAsync<MailSender>(Mail(server.Port), null, AlertNoticeKind.Raised);

        Assert.Equal(("552", false), (result.Answer, result.IsOfChannel));
        Assert.Contains("too much mail", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A colleague who has left must not keep the others from hearing of an outage.</summary>
    [Fact]
    public async Task Mail_ForSomebodyWhomTheServerDoesNotTake_ReachesTheOthersAndSaysSo()
    {
        await using MailServer server = await MailServer.StartAsync(refuses: ["ops@example.org"]);

        SendResult result = await SendAsync<MailSender>(Mail(server.Port), null, AlertNoticeKind.Raised);

        Assert.Null(result.Error);
        Assert.StartsWith("taken for 1 of 2; ops@example.org refused: 550 ", result.Answer, StringComparison.Ordinal);
        Assert.Equal("[FailoverHub] critical: Silent node, node node-a", (await server.NextAsync()).Subject);
    }

    [Fact]
    public async Task Mail_ThatTheServerTakesForNobody_Failed()
    {
        await using MailServer server = await MailServer.StartAsync(refuses: ["ops@example.org", "noc@example.org"]);

        SendResult result = await SendAsync<MailSender>(Mail(server.Port), null, AlertNoticeKind.Raised);

        Assert.Equal(("550", false), (result.Answer, result.IsOfChannel));
        Assert.Contains("taken for 0 of 2; ops@example.org refused: 550 ", result.Error, StringComparison.Ordinal);
        Assert.Contains("noc@example.org refused: 550 ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MailSecurity.StartTls, true)]
    [InlineData(MailSecurity.Tls, true)]
    [InlineData(MailSecurity.StartTls, false)]
    [InlineData(MailSecurity.Tls, false)]
    public async Task Mail_OverTls_ArrivesWhereTheCertificateIsBelieved(MailSecurity security, bool isBelieved)
    {
        using X509Certificate2 certificate = Certificate();
        await using MailServer server = await MailServer.StartAsync("hub", "passw0rd", certificate, security == MailSecurity.Tls);
        AlertChannel channel = Mail(server.Port);
        channel = channel with { Mail = channel.Mail! with { User = "hub", Security = security } };
        var sender = new MailSender { Authority = isBelieved ? certificate : null };

        SendResult result = await sender.SendAsync(channel, new ChannelSecret(null, "passw0rd"), new OutgoingMessage(7, AlertMessage.Of(Silent, AlertNoticeKind.Raised, Make.At)), Stop);

        Assert.Equal(isBelieved, result.Error is null);
        if (isBelieved)
        {
            Assert.Equal("[FailoverHub] critical: Silent node, node node-a", (await server.NextAsync()).Subject);
        }
        else
        {
            Assert.True(result.IsOfChannel, result.ToString());
        }
    }

    [Theory]
    [InlineData("mail.example.org", MailSecurity.None, "hub", false)]
    [InlineData("192.0.2.25", MailSecurity.None, "hub", false)]
    [InlineData("mail.example.org", MailSecurity.None, null, true)]
    [InlineData("mail.example.org", MailSecurity.StartTls, "hub", true)]
    [InlineData("localhost", MailSecurity.None, "hub", true)]
    [InlineData("::1", MailSecurity.None, "hub", true)]
    public async Task Mail_PasswordInClear_GoesToThisMachineOnly(string host, MailSecurity security, string? user, bool allowed)
    {
        MailSettings mail = Mail(25).Mail! with { Host = host, Security = security, User = user };
        AlertChannel channel = Mail(25) with { Mail = mail };

        Assert.Equal(allowed ? [] : ["mail.security"], AlertChannelCheck.Problems(channel, new ChannelSecret(null, "passw0rd"), ChannelSecret.None).Keys);
        if (!allowed)
        {
            // One that an older hub took is not used so any more, and nobody is connected to.
            Assert.StartsWith("The password would cross the network in clear", (await SendAsync<MailSender>(channel, "passw0rd", AlertNoticeKind.Raised)).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Mail_NobodyThere_IsAResult()
    {
        await using MailServer server = await MailServer.StartAsync();
        int port = server.Port;
        await server.DisposeAsync();

        Assert.True((await SendAsync<MailSender>(Mail(port), null, AlertNoticeKind.Raised)).IsOfChannel);
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private Task<SendResult> SendAsync<T>(AlertChannel channel, string? secret, AlertNoticeKind kind)
        where T : IAlertSender
    {
        Alert alert = kind == AlertNoticeKind.Resolved ? Silent with { ResolvedAt = Make.At.AddMinutes(3), ResolvedText = "It is as it should be again." } : Silent;
        ChannelSecret given = channel.Type switch
        {
            AlertChannelType.Webhook => new(new Uri(_receiver.Url, "/hook").AbsoluteUri, secret),
            AlertChannelType.Slack => new(secret),
            _ => new(null, secret),
        };
        return _services.GetRequiredService<T>().SendAsync(channel, given, new OutgoingMessage(7, AlertMessage.Of(alert, kind, Make.At)), Stop);
    }

    private static AlertLinks Links(string? url) => new(FailoverHub.Web.Configuration.HubOptions.Parse(new FailoverHub.Web.Configuration.HubSettings { PublicUrl = url }).Options!);

    private static AlertChannel Hook() => Channel(AlertChannelType.Webhook);

    private static AlertChannel Channel(AlertChannelType type) => AlertMaking.Channel(type: type) with { Origin = null };

    private static AlertChannel Mail(int port) => Channel(AlertChannelType.Email) with
    {
        Mail = new MailSettings { Host = "127.0.0.1", Port = port, Security = MailSecurity.None, From = "failoverhub@example.org", To = ["ops@example.org", "noc@example.org"] },
    };
}
