using Bunit;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Components.Pages.Settings.Alerting;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Alerts;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Components.Pages;

/// <summary>Rules and channels, over the real rooms behind them, a real database and a real receiver.</summary>
[Trait("Kind", "Hub")]
public sealed class AlertSettingsPagesTests : DashboardTest, IAsyncLifetime
{
    private WholeHub _hub = null!;
    private Receiver _receiver = null!;

    private static CancellationToken Stop => Xunit.TestContext.Current.CancellationToken;

    private AlertSettings Settings => _hub.Get<AlertSettings>();

    public async ValueTask InitializeAsync()
    {
        _receiver = await Receiver.StartAsync();
        _hub = await WholeHub.StartAsync();
        Services.AddSingleton(Settings).AddSingleton(_hub.Get<ChannelTrial>()).AddSingleton(_hub.Get<DeliveryStore>()).AddSingleton(_hub.Get<AuditLog>());
        Services.AddScoped<PageGate>();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _hub.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public void Channel_MadeTriedAndLookedUpInItsLog()
    {
        var page = RenderPage<AlertChannelsPage>();
        On(page, "first-channel", e => e.Click());
        page.WaitForElement("[data-testid=channel-form]", Safety);
        On(page, "channel-name", e => e.Input("Hook"));
        On(page, "channel-url", e => e.Change(new Uri(_receiver.Url, "/hook?token=t0p5ecret").AbsoluteUri));
        On(page, "save-channel", e => e.Click());
        page.WaitForElement("[data-testid=channel-Hook]", Safety);
        Assert.Equal(43, page.Find("[data-testid=shown-once-secret]").TextContent.Length);
        Assert.DoesNotContain("hook", page.Find("[data-testid=channel-Hook] .wrap-anywhere.what").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain("t0p5ecret", page.Markup, StringComparison.Ordinal);

        On(page, "test-Hook", e => e.Click());
        page.WaitForAssertion(() => Assert.Equal("delivered", page.Find("[data-testid=test-result]").GetAttribute("data-state")), Safety);
        _receiver.Answer = _ => Task.FromResult((500, "out of order"));
        On(page, "test-Hook", e => e.Click());
        page.WaitForAssertion(() => Assert.Contains("out of order", page.Find("[data-testid=test-result]").TextContent, StringComparison.Ordinal), Safety);
        On(page, "log-Hook", e => e.Click());

        page.WaitForAssertion(() => Assert.Equal(["given-up", "delivered"], page.FindAll("[data-testid=delivery-row]").Select(r => r.GetAttribute("data-state"))), Safety);
        Assert.Equal(2, _receiver.Rest().Count);
    }

    [Fact]
    public void Channel_RemovePressedTwice_IsStillThere_UntilTheOtherButtonIsPressed()
    {
        var page = RenderPage<AlertChannelsPage>();
        On(page, "first-channel", e => e.Click());
        page.WaitForElement("[data-testid=channel-form]", Safety);
        On(page, "channel-name", e => e.Input("Hook"));
        On(page, "channel-url", e => e.Change(new Uri(_receiver.Url, "/hook").AbsoluteUri));
        On(page, "save-channel", e => e.Click());
        page.WaitForElement("[data-testid=change-Hook]", Safety);
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=channel-form]")), Safety);
        On(page, "change-Hook", e => e.Click());
        page.WaitForElement("[data-testid=remove-channel]", Safety);

        On(page, "remove-channel", e => e.Click());
        On(page, "remove-channel", e => e.Click());
        Assert.Single(Settings.Channels);
        On(page, "remove-channel-sure", e => e.Click());

        page.WaitForAssertion(() => Assert.Empty(Settings.Channels), Safety);
    }

    [Fact]
    public void Channel_ThatMakesNoSense_IsRefusedInWords()
    {
        var page = RenderPage<AlertChannelsPage>();
        On(page, "first-channel", e => e.Click());
        page.WaitForElement("[data-testid=channel-form]", Safety);
        On(page, "channel-type", e => e.Change(nameof(AlertChannelType.Slack)));
        On(page, "channel-name", e => e.Input("Chat"));

        On(page, "save-channel", e => e.Click());

        page.WaitForAssertion(() => Assert.Contains("Give the address of the incoming webhook.", page.Find("[data-testid=channels-problem]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Empty(Settings.Channels);
    }

    [Fact]
    public void Rule_ChangedMadeAndRemoved_IsDoneAndAudited()
    {
        var page = RenderPage<AlertRulesPage>();
        On(page, "change-degraded-pair", e => e.Click());
        page.WaitForElement("[data-testid=rule-form]", Safety);
        On(page, "rule-raise", e => e.Change("5"));
        On(page, "save-rule", e => e.Click());
        page.WaitForAssertion(() => Assert.Equal(TimeSpan.FromSeconds(5), Settings.FindRule("degraded-pair")!.RaiseAfter), Safety);

        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=rule-form]")), Safety);
        On(page, "new-rule", e => e.Click());
        page.WaitForElement("[data-testid=rule-kind]", Safety);
        On(page, "rule-kind", e => e.Change(nameof(AlertKind.ProbeLoss)));
        On(page, "rule-name", e => e.Input("Lossy web"));
        On(page, "rule-threshold", e => e.Change("20"));
        On(page, "rule-pairs", e => e.Change("web, db"));
        On(page, "rule-all-channels", e => e.Change(false));
        On(page, "save-rule", e => e.Click());
        page.WaitForAssertion(() => Assert.Contains(Settings.Rules, r => r is { Name: "Lossy web", Kind: AlertKind.ProbeLoss, Threshold: 20, Pairs: ["web", "db"], Channels: { IsEmpty: true } }), Safety);

        string id = Settings.Rules.Single(r => r.Name == "Lossy web").Id;
        page.WaitForElement($"[data-testid=change-{id}]", Safety);
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("[data-testid=rule-form]")), Safety);
        On(page, $"change-{id}", e => e.Click());
        page.WaitForElement("[data-testid=remove-rule]", Safety);
        On(page, "remove-rule", e => e.Click());
        On(page, "remove-rule", e => e.Click());
        Assert.NotNull(Settings.FindRule(id));
        Assert.Equal("Remove the rule Lossy web", page.Find("[data-testid=remove-rule-sure]").TextContent.Trim());
        On(page, "remove-rule-sure", e => e.Click());
        page.WaitForAssertion(() => Assert.Null(Settings.FindRule(id)), Safety);
    }

    [Fact]
    public async Task Rule_OfNinetySeconds_IsNotSaidToBeRaisedAfterAMinute()
    {
        AlertRule rule = Settings.FindRule("degraded-pair")!;
        await Settings.ChangeAsync(rule with { RaiseAfter = TimeSpan.FromSeconds(90), RemindEvery = TimeSpan.FromMinutes(90) }, rule.Revision, WholeHub.Tester, Stop);

        var page = RenderPage<AlertRulesPage>();

        Assert.Equal("90 s", page.Find("[data-testid=rule-degraded-pair] [data-label=raised]").TextContent);
        Assert.Equal("every 90 min", page.Find("[data-testid=rule-degraded-pair] [data-label=reminded]").TextContent);
    }

    [Fact]
    public void Rule_StatesAreCalledAsOnEveryOtherPage_InTheListAndInTheForm()
    {
        var page = RenderPage<AlertRulesPage>();
        Assert.Contains("No announcer", page.Find("[data-testid=rule-no-announcer] .small").TextContent, StringComparison.Ordinal);
        On(page, "change-no-announcer", e => e.Click());
        page.WaitForElement("[data-testid=rule-form]", Safety);

        Assert.Equal("Dual primary", page.Find("[data-testid=state-DualPrimary]").ParentElement!.TextContent.Trim());
        Assert.DoesNotContain("NoAnnouncer", page.Find("[data-testid=rules]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rule_ChangedBySomebodyElseMeanwhile_IsNotOverwritten()
    {
        var page = RenderPage<AlertRulesPage>();
        On(page, "change-degraded-pair", e => e.Click());
        page.WaitForElement("[data-testid=rule-form]", Safety);
        AlertRule rule = Settings.FindRule("degraded-pair")!;
        await Settings.ChangeAsync(rule with { Severity = EventSeverity.Critical }, rule.Revision, WholeHub.Tester, Stop);

        On(page, "save-rule", e => e.Click());

        page.WaitForAssertion(() => Assert.Contains("Somebody changed it meanwhile", page.Find("[data-testid=rules-problem]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Equal(EventSeverity.Critical, Settings.FindRule("degraded-pair")!.Severity);
    }

    [Fact]
    public void SignedOutMeanwhile_NothingIsDone()
    {
        var page = RenderPage<AlertRulesPage>();
        On(page, "change-degraded-pair", e => e.Click());
        page.WaitForElement("[data-testid=rule-form]", Safety);
        SignedIn = false;

        On(page, "save-rule", e => e.Click());

        page.WaitForElement("[data-testid=rules-problem]", Safety);
        Assert.Equal(1, Settings.FindRule("degraded-pair")!.Revision);
    }
}
