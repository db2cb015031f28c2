using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Web.Tests.Operations;

public sealed class OperationFeedTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private static OperationView View(OperationStatus status, params StepStatus[] steps) => new()
    {
        Id = "op1",
        Type = OperationType.Switchover,
        PairId = "p1",
        PairName = "web",
        Node = "web-2",
        Title = "Switch web over to web-2",
        Status = status,
        Outcome = status == OperationStatus.Running ? null : "It is done.",
        Reason = "kernel update",
        Actor = "alice",
        RequestedAt = Now,
        FinishedAt = null,
        Steps = [.. steps.Select((s, i) => new OperationStep($"Step {i + 1}", s, null, null, "seen"))],
    };

    private static List<string> Texts(OperationView? before, OperationView after) => [.. OperationFeed.Between(before, after, Now).Select(e => $"{e.Kind} {e.Severity}: {e.Text}")];

    [Fact]
    public void Moves_CountByWhenTheyBegan_NotByWhenSomebodyAskedForThem()
    {
        var feed = new OperationFeed(null!, TimeProvider.System);
        var began = Now.AddHours(3);
        var waited = View(OperationStatus.Succeeded, StepStatus.Succeeded, StepStatus.Succeeded);
        feed.TakeOver(waited with { Steps = [waited.Steps[0] with { StartedAt = began }, waited.Steps[1] with { StartedAt = began.AddSeconds(1) }] }, new ToldEvents(OperationFeed.StillToTell(waited, new ToldEvents([]), Now).Select(e => (e.Kind, e.Text))));

        Assert.Equal([began], feed.MovesOf("p1"));
    }

    [Fact]
    public void FirstState_TellsWhoAskedForWhatAndWhy() =>
        Assert.Equal(
            ["operation-started Info: Switch web over to web-2: asked for by alice. Reason: kernel update"],
            Texts(null, View(OperationStatus.Queued, StepStatus.Pending)));

    [Fact]
    public void Steps_AreToldWhenTheyEndAndOnce()
    {
        var running = View(OperationStatus.Running, StepStatus.Running, StepStatus.Pending);
        var done = View(OperationStatus.Running, StepStatus.Succeeded, StepStatus.Running);

        Assert.Equal(["operation-step Info: Step 1: done. seen"], Texts(running, done));
        Assert.Empty(Texts(done, done));
        Assert.Equal(["operation-step Warning: Step 2: failed. seen"], Texts(done, View(OperationStatus.Running, StepStatus.Succeeded, StepStatus.Failed)));
    }

    [Fact]
    public void ApprovedAndKilled_IsToldAsApprovedAndNotAsBegunOnceMore()
    {
        var waits = View(OperationStatus.PendingApproval, StepStatus.Pending);
        var approved = View(OperationStatus.Running, StepStatus.Succeeded) with { ApprovedBy = "bob" };
        var told = new ToldEvents(OperationFeed.Between(null, waits, Now).Select(e => (e.Kind, e.Text)));

        Assert.Equal(
            ["operation-approved: Switch web over to web-2: approved by bob.", "operation-step: Step 1: done. seen"],
            OperationFeed.StillToTell(approved, told, Now).Select(e => $"{e.Kind}: {e.Text}"));
    }

    [Fact]
    public void EndedAndKilledBeforeAnythingWasTold_HasItsBeginningToo()
    {
        var ended = View(OperationStatus.Succeeded, StepStatus.Succeeded) with { FinishedAt = Now };

        Assert.Equal(["operation-started", "operation-step", "operation-finished"], OperationFeed.StillToTell(ended, new ToldEvents([]), Now).Select(e => e.Kind));
        Assert.Empty(OperationFeed.StillToTell(ended, new ToldEvents(OperationFeed.StillToTell(ended, new ToldEvents([]), Now).Select(e => (e.Kind, e.Text))), Now));
    }

    [Theory]
    [InlineData(OperationStatus.Succeeded, "operation-finished Info: Switch web over to web-2: succeeded. It is done.")]
    [InlineData(OperationStatus.TimedOut, "operation-finished Warning: Switch web over to web-2: timed out. It is done.")]
    [InlineData(OperationStatus.OutcomeUnknown, "operation-finished Warning: Switch web over to web-2: its outcome is not known. It is done.")]
    public void End_IsToldWithItsOutcome(OperationStatus status, string text) => Assert.Equal([text], Texts(View(OperationStatus.Running), View(status)));

    [Fact]
    public void MoreOperationsThanAreKept_WhatWaitsOrRunsOrIsNotSettledStays()
    {
        var events = new EventLog(new HubWriter(null!, TimeProvider.System, NullLogger<HubWriter>.Instance), new HistoryChanges(), TimeProvider.System);
        var feed = new OperationFeed(events, TimeProvider.System);
        var open = new[] { OperationStatus.PendingApproval, OperationStatus.Queued, OperationStatus.Running, OperationStatus.OutcomeUnknown };
        foreach (var status in open)
        {
            feed.Publish(View(status) with { Id = $"{status}" });
        }

        for (var i = 0; i < OperationFeed.Kept + 10; i++)
        {
            feed.Publish(View(OperationStatus.Succeeded) with { Id = $"ended {i}" });
        }

        Assert.All(open, status => Assert.NotNull(feed.Find($"{status}")));
        Assert.Null(feed.Find("ended 0"));
        Assert.NotNull(feed.Find($"ended {OperationFeed.Kept + 9}"));
    }

}
