using Bunit;
using FailoverHub.Web.Components.Layout;
using FailoverHub.Web.Components.Pages.History;
using FailoverHub.Web.Components.Pages.Overview;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class HistoryPagesTests : DashboardTest
{
    [Fact]
    public void Query_ThereAndBack_IsInTheUrl()
    {
        var query = new HistoryQuery { Text = "hold timer", Pair = "web", Severity = "warning", Range = "1h" };

        Assert.Equal("/events?q=hold%20timer&pair=web&severity=warning&range=1h", query.ToUrl("/events"));
        HistoryFilter filter = query.ToFilter(Make.At, TimeZoneInfo.Utc);
        Assert.Equal(Make.At.AddHours(-1), filter.From);
        Assert.Equal(EventSeverity.Warning, filter.MinimumSeverity);
        Assert.Null(filter.To);
    }

    [Fact]
    public void Query_CustomRange_IsReadInTheShownZone()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(2), "x", "x");

        HistoryFilter filter = new HistoryQuery { Range = "custom", From = "2026-11-22T14:00", To = "not a time" }.ToFilter(Make.At, zone);

        Assert.Equal(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero), filter.From);
        Assert.Null(filter.To);
    }

    [Theory]
    [InlineData("2026-11-22T14:00:00Z", "2026-11-22T16:00", "2026-11-22T14:00:00Z")]
    [InlineData("2026-11-22T14:00", "2026-11-22T14:00", "2026-11-22T12:00:00Z")]
    [InlineData("0001-01-01T00:30", null, null)]
    [InlineData("not a time", null, null)]
    [InlineData(null, null, null)]
    public void Query_MomentOfACustomRange_IsWrittenInUtcAndShownInTheZone(string? inTheUrl, string? inTheField, string? again)
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(2), "x", "x");

        Assert.Equal(inTheField, HistoryQuery.ToField(inTheUrl, zone));
        Assert.Equal(again, HistoryQuery.FromField(inTheField, zone));
    }

    /// <summary>Two people in two zones look at one link; and an older link, without a zone, goes with whoever looks.</summary>
    [Theory]
    [InlineData("2026-11-22T13:00:00Z", 1)]
    [InlineData("2026-11-22T15:00", 0)]
    public void Events_WhoseZoneIsSwitched_AreReadAgainAndTheFieldFollows(string from, int inUtc)
    {
        History.Events.Add(Make.Event(1));
        Services.GetRequiredService<NavigationManager>().NavigateTo($"/events?range=custom&from={Uri.EscapeDataString(from)}");
        var page = Render<CascadingValue<DisplayPreferences>>(parameters => parameters.Add(c => c.Value, DisplayPreferences.Default).AddChildContent<EventsPage>());
        page.WaitForAssertion(() => Assert.Equal(inUtc, page.FindAll("[data-testid=events-row]").Count), Safety);
        Assert.Contains("From (UTC)", page.Find("[data-testid=filters]").TextContent, StringComparison.Ordinal);

        var there = TimeZoneInfo.CreateCustomTimeZone("Far/Away", TimeSpan.FromHours(2), "x", "x");
        page.Render(parameters => parameters.Add(c => c.Value, DisplayPreferences.Default with { Zone = there }).AddChildContent<EventsPage>());

        page.WaitForAssertion(() => Assert.Single(page.FindAll("[data-testid=events-row]")), Safety);
        Assert.Equal("2026-11-22T15:00", page.Find("[data-testid=filter-from]").GetAttribute("value"));
        Assert.Contains("From (Far/Away)", page.Find("[data-testid=filters]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Query_AsAnExport_HasTheSameFiltersInTheWordsOfTheApi()
    {
        var query = new HistoryQuery { Text = "hold timer", Pair = "web", Severity = "warning", Range = "1h", Kind = "session-lost", Actor = "alice" };

        Assert.Equal("/api/v1/events/export?format=csv&text=hold%20timer&pair=web&kind=session-lost&severity=warning&from=2026-11-22T13%3A00%3A00Z", query.ToExportUrl("events", "csv", Make.At, TimeZoneInfo.Utc));
        Assert.Equal("/api/v1/audit/export?format=json&text=hold%20timer&pair=web&action=session-lost&actor=alice&from=2026-11-22T13%3A00%3A00Z", query.ToExportUrl("audit", "json", Make.At, TimeZoneInfo.Utc));
    }

    [Fact]
    public async Task Feed_NewerEntries_ComeOnTopOfWhatWasRead()
    {
        var history = new FakeHistory();
        history.Events.AddRange(Enumerable.Range(1, 150).Select(i => Make.Event(i)));
        var feed = new HistoryFeed<EventRecord>(record => record.Id, (cursor, limit, stop) => history.EventsAsync(new HistoryFilter(), cursor, limit, stop));
        await feed.RefreshAsync(Xunit.TestContext.Current.CancellationToken);
        await feed.LoadOlderAsync(Xunit.TestContext.Current.CancellationToken);

        history.Events.Add(Make.Event(151));
        await feed.RefreshAsync(Xunit.TestContext.Current.CancellationToken);

        Assert.Equal(Enumerable.Range(1, 151).Reverse().Select(i => (long)i), feed.Items.Select(record => record.Id));
        Assert.Null(feed.NextCursor);
    }

    [Fact]
    public async Task Feed_MoreThanAPageCameMeanwhile_StartsAnewInsteadOfLeavingAHole()
    {
        var history = new FakeHistory();
        history.Events.Add(Make.Event(1));
        var feed = new HistoryFeed<EventRecord>(record => record.Id, (cursor, limit, stop) => history.EventsAsync(new HistoryFilter(), cursor, limit, stop));
        await feed.RefreshAsync(Xunit.TestContext.Current.CancellationToken);

        history.Events.AddRange(Enumerable.Range(2, 300).Select(i => Make.Event(i)));
        await feed.RefreshAsync(Xunit.TestContext.Current.CancellationToken);

        Assert.Equal(HistoryFeed<EventRecord>.PageSize, feed.Items.Length);
        Assert.NotNull(feed.NextCursor);
    }

    [Fact]
    public void Events_FilteredByUrl_ShowOnlyThose()
    {
        History.Events.AddRange([Make.Event(1), Make.Event(2, "session-lost", EventSeverity.Critical, "node-a lost a session.")]);
        Services.GetRequiredService<NavigationManager>().NavigateTo("/events?severity=critical");

        var page = RenderPage<EventsPage>();

        page.WaitForAssertion(() => Assert.Contains("node-a lost a session.", Assert.Single(page.FindAll("[data-testid=events-row]")).TextContent, StringComparison.Ordinal), Safety);
    }

    /// <summary>An empty list says that nothing happened: that is not known before it was read.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Page_WhileItIsRead_DoesNotSayThatNothingHappened(bool audit)
    {
        var slow = new SlowHistory();
        Services.AddSingleton<IHistory>(slow);

        var page = audit ? RenderPage<AuditPage>() : RenderPage<EventsPage>();

        Assert.Equal("Reading…", page.Find("[data-testid=reading]").TextContent);
        Assert.Empty(page.FindAll("[data-testid=empty-state]"));
        await page.InvokeAsync(slow.Ready.SetResult);
        page.WaitForElement("[data-testid=empty-state]", Safety);
        Assert.Empty(page.FindAll("[data-testid=reading]"));
    }

    [Fact]
    public void Events_SomethingHappens_ComesInByItself_UnlessPaused()
    {
        History.Append(Make.Event(1));
        var page = RenderPage<EventsPage>();
        page.WaitForAssertion(() => Assert.Single(page.FindAll("[data-testid=events-row]")), Safety);

        History.Append(Make.Event(2));
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll("[data-testid=events-row]").Count), Safety);

        On(page, "live-toggle", element => element.Click());
        History.Append(Make.Event(3));
        page.WaitForAssertion(() => Assert.Contains("newer entries wait", page.Find("[data-testid=live-toggle]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Equal(2, page.FindAll("[data-testid=events-row]").Count);

        On(page, "live-toggle", element => element.Click());
        page.WaitForAssertion(() => Assert.Equal(3, page.FindAll("[data-testid=events-row]").Count), Safety);
    }

    [Fact]
    public void Events_ReadBackwards_StandStillAndSayThatNewerOnesWait()
    {
        History.Events.AddRange(Enumerable.Range(1, 150).Select(i => Make.Event(i)));
        var page = RenderPage<EventsPage>();
        page.WaitForElement("[data-testid=load-older]", Safety);

        On(page, "load-older", element => element.Click());
        page.WaitForAssertion(() => Assert.Equal(150, page.FindAll("[data-testid=events-row]").Count), Safety);
        foreach (int i in Enumerable.Range(151, 300))
        {
            History.Append(Make.Event(i));
        }

        page.WaitForAssertion(() => Assert.Equal("Paused, newer entries wait", page.Find("[data-testid=live-toggle]").TextContent.Trim()), Safety);
        Assert.Equal(150, page.FindAll("[data-testid=events-row]").Count);

        // Another list begins live: nobody has pressed it.
        Services.GetRequiredService<NavigationManager>().NavigateTo("/events?severity=critical");
        page.WaitForAssertion(() => Assert.Equal("Live", page.Find("[data-testid=live-toggle]").TextContent.Trim()), Safety);
    }

    [Fact]
    public async Task Feed_OfAThousand_TakesNoOlderOnesAndIsFull()
    {
        var history = new FakeHistory();
        history.Events.AddRange(Enumerable.Range(1, 1_200).Select(i => Make.Event(i)));
        var feed = new HistoryFeed<EventRecord>(record => record.Id, (cursor, limit, stop) => history.EventsAsync(new HistoryFilter(), cursor, limit, stop));
        await feed.RefreshAsync(Xunit.TestContext.Current.CancellationToken);

        for (int i = 0; i < 20; i++)
        {
            await feed.LoadOlderAsync(Xunit.TestContext.Current.CancellationToken);
        }

        Assert.Equal((HistoryFeed<EventRecord>.Most, true, true), (feed.Items.Length, feed.HasOlder, feed.IsFull));
    }

    [Fact]
    public void Events_ARowIsOpened_ItsStoryHasTheEventsOfTheSameOperation()
    {
        History.Events.AddRange([Make.Event(1, operation: "op-1", text: "first"), Make.Event(2, text: "not of it"), Make.Event(3, operation: "op-1", text: "second")]);
        var page = RenderPage<EventsPage>();
        page.WaitForAssertion(() => Assert.Equal(3, page.FindAll("[data-testid=events-row]").Count), Safety);

        page.InvokeAsync(() => page.FindAll("[data-testid=events-row] .row-button")[0].Click());

        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll("[data-testid=event-story] [data-testid=events-row]").Count), Safety);
    }

    /// <summary>There is an event for each prefix and vantage point; each opens what all of them saw of the same move.</summary>
    [Fact]
    public void Events_AFailoverThatNobodyAskedFor_ShowsWhatEveryVantagePointSaw()
    {
        OutageRecord hub = Outage("hub", "hub", Make.At, lost: 8);
        OutageRecord[] move = [hub, Outage("id-c", "node-c", Make.At, lost: 6), hub with { Prefix = "203.0.113.11/32" }];
        OutageRecord[] others = [Outage("hub", "hub", Make.At.AddMinutes(-20), lost: 3), hub with { OperationId = "op-1" }, Outage("hub", "hub", Make.At.AddMinutes(5), lost: 4)];
        Reachability.Measured = [.. others, .. move];
        History.Events.Add(Make.Event(20, EventKinds.OutageMeasured, EventSeverity.Warning, OutageSentences.Of(hub)) with { Pair = "web", Prefix = hub.Prefix });
        var page = RenderPage<EventsPage>();
        page.WaitForAssertion(() => Assert.Single(page.FindAll("[data-testid=events-row]")), Safety);

        page.InvokeAsync(() => page.Find("[data-testid=events-row] .row-button").Click());

        page.WaitForAssertion(
            () => Assert.Equal(
                [("hub", "203.0.113.10/32", "8 of 40"), ("node-c", "203.0.113.10/32", "6 of 40"), ("hub", "203.0.113.11/32", "8 of 40")],
                page.FindAll("[data-testid=event-story] [data-testid=outage-figures] tr").Select(r => (r.GetAttribute("data-vantage"), r.GetAttribute("data-prefix"), r.QuerySelectorAll("td")[2].TextContent))),
            Safety);
    }

    [Theory]
    [InlineData(true, "The chain is intact.")]
    [InlineData(false, "The chain is broken at entry 17.")]
    public void Audit_VerifyChain_SaysTheResult(bool intact, string said)
    {
        History.Append(Make.AuditEntry(1));
        History.Verification = new AuditVerification(intact, 1, intact ? null : 17, new string('a', 64));
        var page = RenderPage<AuditPage>();
        page.WaitForAssertion(() => Assert.Single(page.FindAll("[data-testid=audit-row]")), Safety);

        On(page, "verify-chain", element => element.Click());

        page.WaitForAssertion(() => Assert.Contains(said, page.Find("[data-testid=verify-result]").TextContent, StringComparison.Ordinal), Safety);
        Assert.Null(History.VerifiedOn);
    }

    [Fact]
    public async Task ManyEntriesAtOnce_AreReadAtMostOnceASecond()
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Xunit.TestContext.Current.CancellationToken);
        safety.CancelAfter(Safety);
        var clock = new FakeTimeProvider(Make.At);
        Services.AddSingleton<TimeProvider>(clock);
        var page = RenderPage<LatestEvents>();
        await History.EventReadings.Reader.ReadAsync(safety.Token);

        for (int i = 1; i <= 5; i++)
        {
            History.Append(Make.Event(i));
        }

        await History.EventReadings.Reader.ReadAsync(safety.Token);
        await page.InvokeAsync(() => Assert.False(History.EventReadings.Reader.TryRead(out _), "read again within the second"));
        while (!History.EventReadings.Reader.TryRead(out _))
        {
            safety.Token.ThrowIfCancellationRequested();
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    private static OutageRecord Outage(string id, string name, DateTimeOffset at, int lost) => new()
    {
        At = at,
        Pair = "web",
        Prefix = "203.0.113.10/32",
        Vantage = id,
        VantageName = name,
        Kind = MoveKind.Failover,
        OperationId = null,
        From = "node-a",
        To = "node-b",
        Figures = new OutageFigures(40, lost, at, at.AddSeconds(lost), TimeSpan.FromSeconds(lost + 1), false, TimeSpan.FromSeconds(1)) { Shortest = TimeSpan.FromSeconds(lost) },
    };
}
