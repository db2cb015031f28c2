using System.Net;
using CsCheck;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Tests.Agents;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>
/// Two nodes that obey, refuse, are slow, sicken and heal, break their connection or are started anew (with what they had kept, or without) at random, while operators ask for
/// operations at random, the hub is started anew and time goes by: whatever happens, the hub never makes two primaries, never withdraws both nor the one that is left, never has two
/// operations of one pair in flight, and its audit stays whole.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class InterleavingTests
{

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private enum Act
    {
        SwitchToA,
        SwitchToB,
        DrainA,
        DrainB,
        UndrainA,
        UndrainB,
        MakeAPrimary,
        MakeBPrimary,
        MakeASecondary,
        ObeyA,
        ObeyB,
        RefuseA,
        RefuseB,
        BreakA,
        BreakB,
        DialA,
        DialB,
        Second,
        TenSeconds,
        RestartHub,
        Freeze,
        Unfreeze,
        Cancel,
        ForceA,
        ForceB,
        ScheduleA,
        ScheduleB,
        DrainBForAWhile,
        DrainAll,
        FreezeAll,
        UnfreezeAll,
        Approve,
        Reject,
        CancelWaiting,
        HalfAMinute,
        SickenA,
        SickenB,
        HealA,
        HealB,
        RestartA,
        RestartB,
        ForgetA,
        ForgetB,
    }

    // What is accepted though the pair is frozen, because nothing is done to it yet.
    private static readonly Act[] Later = [Act.Freeze, Act.Unfreeze, Act.FreezeAll, Act.UnfreezeAll, Act.ScheduleA, Act.ScheduleB, Act.DrainAll];

    [Fact]
    public Task AnyInterleaving_NeverMakesTwoPrimariesAndNeverHasTwoOperationsInFlight() => SampleAsync(iterations: 30, TwoPersonPolicy.Off);

    /// <summary>The same, while somebody forces promotions by overriding SR-02: from then on two primaries are acknowledged, and nothing else is.</summary>
    [Fact]
    public Task AnyInterleavingWithForcedPromotions_NeverLeavesAnAddressWithoutAnAnnouncer() => SampleAsync(iterations: 20, TwoPersonPolicy.Off, (4, [Act.ForceA, Act.ForceB]), (2, [Act.BreakA, Act.BreakB]));

    /// <summary>The same, with what begins later: at its time, at the end of a drain, one pair after the other, or when a freeze is over.</summary>
    [Fact]
    public Task AnyInterleavingWithWhatBeginsLater_IsAsSafe() =>
        SampleAsync(iterations: 12, TwoPersonPolicy.Off, (3, [Act.ScheduleA, Act.ScheduleB]), (2, [Act.DrainBForAWhile, Act.DrainAll, Act.CancelWaiting, Act.UnfreezeAll]), (1, [Act.FreezeAll, Act.HalfAMinute]));

    /// <summary>The same, where another person has to approve what moves an address, or may take it away.</summary>
    [Fact]
    public Task AnyInterleavingWithASecondPerson_IsAsSafe() =>
        SampleAsync(iterations: 12, TwoPersonPolicy.Moves, (12, [Act.Approve]), (1, [Act.Reject, Act.CancelWaiting, Act.ScheduleA, Act.ScheduleB, Act.DrainBForAWhile, Act.DrainAll, Act.ForceA, Act.ForceB]));

    private static async Task SampleAsync(int iterations, TwoPersonPolicy policy, params (int Weight, Act[] Acts)[] more)
    {
        (int Weight, Act[] Acts)[] weights =
        [
            (4, [Act.SwitchToA, Act.SwitchToB]),
            (2, [Act.DrainA, Act.DrainB]),
            (1, [Act.UndrainA, Act.UndrainB, Act.MakeAPrimary, Act.MakeBPrimary, Act.MakeASecondary]),
            (6, [Act.ObeyA, Act.ObeyB]),
            (3, [Act.RefuseA, Act.RefuseB]),
            (1, [Act.BreakA, Act.BreakB, Act.TenSeconds, Act.RestartHub]),
            (3, [Act.DialA, Act.DialB]),
            (5, [Act.Second]),
            (1, [Act.Freeze]),
            (2, [Act.Unfreeze, Act.Cancel]),
            (1, [Act.SickenA, Act.SickenB, Act.RestartA, Act.RestartB, Act.ForgetA, Act.ForgetB]),
            (3, [Act.HealA, Act.HealB]),
            .. more,
        ];
        var table = weights.SelectMany(w => w.Acts.SelectMany(a => Enumerable.Repeat(a, w.Weight))).ToArray();
        var acts = Gen.Int[0, table.Length - 1].Select(i => table[i]);

        // One hub for all runs; each has its own two nodes and its own prefix.
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
        await using var hub = new HubWithRestarts(folder.Path, time, policy);
        await hub.StartAsync();
        var (runs, accepted) = (0, 0);
        await acts.Array[20, 60].SampleAsync(async run => accepted += await RunAsync(run, hub, time, ++runs), iter: iterations, threads: 1, print: run => string.Join(' ', run));

        // Runs in which nothing is accepted would prove nothing.
        Assert.True(accepted > runs, $"Only {accepted} operations were accepted in {runs} runs.");
        Assert.True((await hub.Now.History.VerifyAuditAsync(Cancellation)).Intact);
        await using var db = hub.Now.OpenDatabase();

        // Whatever has begun stands in the audit as accepted, under its own id; what was to end a drain and has not begun stands there with the drain.
        var accepting = (await db.Audit.Where(x => x.Outcome.StartsWith("accepted")).Select(x => x.CorrelationId).ToListAsync(Cancellation)).ToHashSet();
        Assert.All(await db.Operations.Where(o => o.WantedJson != "[]").ToListAsync(Cancellation), o => Assert.Contains(o.Id, accepting));
        Assert.InRange(await db.Operations.CountAsync(Cancellation), accepted, int.MaxValue);
    }

    private static async Task<int> RunAsync(Act[] acts, HubWithRestarts hub, FakeTimeProvider time, int run)
    {
        var prefix = new IPNetwork(new IPAddress([10, 0, (byte)(run / 256), (byte)run]), 32);
        var steps = new Steps();
        var a = new SimulatedNode(hub, steps, $"run{run}-1", prefix, Role.Primary, firstId: run * 1_000_000L);
        var b = new SimulatedNode(hub, steps, $"run{run}-2", prefix, Role.Secondary, firstId: (run * 1_000_000L) + 500_000);
        (a.Partner, b.Partner) = (b, a);
        await a.DialAsync();
        await b.DialAsync();
        var pair = (await hub.Now.UntilAsync(s => s.FindPair($"run{run}")?.State == PairState.Healthy)).FindPair($"run{run}")!;
        var accepted = 0;
        var acknowledged = false;
        foreach (var act in acts)
        {
            steps.Next();
            var frozen = hub.Now.Fleet.Current.FindPair(pair.Name)?.Freeze is not null;
            var taken = await TakeAsync(act, pair.Name, hub, time, a, b);
            accepted += taken;
            acknowledged |= act is Act.ForceA or Act.ForceB && taken > 0;
            Assert.False(frozen && taken > 0 && !Later.Contains(act), $"{act} was accepted while the pair was frozen.");
            Assert.True(acknowledged || (a.MadePrimaryBeside ?? b.MadePrimaryBeside) is null, $"{a.MadePrimaryBeside}{b.MadePrimaryBeside} {a.Story} {b.Story}");
            Assert.True((a.DrainedBeside ?? b.DrainedBeside) is null, $"{a.DrainedBeside}{b.DrainedBeside} {a.Story} {b.Story}");

            // A node that has lost what it was told, and announces what its own file says, is not the hub's doing.
            Assert.False(!acknowledged && a.IsPrimaryOnTheWire && b.IsPrimaryOnTheWire && (a.ForgotAt ?? b.ForgotAt) is null, $"Both nodes are primary after {act}. {a.Story} {b.Story} {hub.Now.Describe()}");
            Assert.False(a.IsDrained && b.IsDrained, $"Both nodes are drained after {act}, and nobody overrode a rule.");
            var running = (await hub.Now.Operations.RecentAsync(OperationFilter.OfPair(pair.Id), 100, Cancellation)).Count(o => o.Status is OperationStatus.Queued or OperationStatus.Running && !o.IsWaiting);
            Assert.True(running <= 1, $"{running} operations are in flight after {act}.");
        }

        await a.BreakAsync();
        await b.BreakAsync();

        // A freeze of all would be the next run's, too.
        await AskAsync(hub, new OperationRequest { Type = OperationType.Unfreeze, Pair = FreezeFacts.All, Reason = "the run is over" });
        await using var db = hub.Now.OpenDatabase();
        Assert.All(a.Seen.Concat(b.Seen), seen => Assert.NotEqual(IntentStage.Abandoned, db.Intents.Single(i => i.Node == seen.Node && i.Revision == seen.Revision).Stage));
        return accepted;
    }

    private static async Task<int> TakeAsync(Act act, string pair, HubWithRestarts hub, FakeTimeProvider time, SimulatedNode a, SimulatedNode b)
    {
        async Task DecideAsync(OperationStatus[] waiting, Func<IOperations, string, Task<SubmitResult>> decide)
        {
            var filter = new OperationFilter { PairId = hub.Now.Fleet.Current.FindPair(pair)!.Id, Statuses = [.. waiting] };
            if ((await hub.Now.Operations.RecentAsync(filter, 10, Cancellation)).LastOrDefault(o => o.IsWaiting) is { } oldest)
            {
                await decide(hub.Now.Operations, oldest.Id);
            }
        }

        Task<int> ScheduleAsync(string target) => AskAsync(hub, new OperationRequest { Type = OperationType.Switchover, Pair = pair, Target = $"{pair}-{target}", StartAt = time.GetUtcNow().AddSeconds(2), WindowEndsAt = time.GetUtcNow().AddSeconds(20), Reason = "at random" });

        Task<int> Ask(OperationType type, string? node = null, string? target = null, Role? role = null) =>
            AskAsync(hub, new OperationRequest { Type = type, Pair = pair, Node = node is null ? null : $"{pair}-{node}", Target = target is null ? null : $"{pair}-{target}", Role = role, Reason = "at random" });

        switch (act)
        {
            case Act.Freeze: return await AskAsync(hub, new OperationRequest { Type = OperationType.Freeze, Pair = pair, ExpiresIn = TimeSpan.FromMinutes(1), Reason = "at random" });
            case Act.Unfreeze: return await AskAsync(hub, new OperationRequest { Type = OperationType.Unfreeze, Pair = pair, Reason = "at random" });
            case Act.ForceA: return await AskAsync(hub, new OperationRequest { Type = OperationType.ForcePromote, Pair = pair, Target = $"{pair}-1", Reason = "at random", OverrideRules = ["SR-02"] });
            case Act.ForceB: return await AskAsync(hub, new OperationRequest { Type = OperationType.ForcePromote, Pair = pair, Target = $"{pair}-2", Reason = "at random", OverrideRules = ["SR-02"] });
            case Act.Cancel:
                if (hub.Now.Fleet.Current.FindPair(pair)?.OperationId is { } running)
                {
                    await hub.Now.Operations.CancelAsync(running, "at random", OperationRig.Alice, Cancellation);
                }

                break;
            case Act.ScheduleA: return await ScheduleAsync("1");
            case Act.ScheduleB: return await ScheduleAsync("2");
            case Act.DrainBForAWhile: return await AskAsync(hub, new OperationRequest { Type = OperationType.Drain, Node = $"{pair}-2", ExpiresIn = TimeSpan.FromMinutes(1), Reason = "at random" });
            case Act.DrainAll: return await AskAsync(hub, new OperationRequest { Type = OperationType.BulkDrain, Pair = FreezeFacts.All, DataCenter = a.DataCenter, Role = Role.Secondary, Reason = "at random" });
            case Act.FreezeAll: return await AskAsync(hub, new OperationRequest { Type = OperationType.Freeze, Pair = FreezeFacts.All, ExpiresIn = TimeSpan.FromMinutes(1), Reason = "at random" });
            case Act.UnfreezeAll: return await AskAsync(hub, new OperationRequest { Type = OperationType.Unfreeze, Pair = FreezeFacts.All, Reason = "at random" });
            case Act.Approve: await DecideAsync([OperationStatus.PendingApproval], (operations, id) => operations.ApproveAsync(id, "at random", People.Bob, Cancellation)); break;
            case Act.Reject: await DecideAsync([OperationStatus.PendingApproval], (operations, id) => operations.RejectAsync(id, "at random", People.Bob, Cancellation)); break;
            case Act.CancelWaiting: await DecideAsync([OperationStatus.PendingApproval, OperationStatus.Queued], (operations, id) => operations.CancelAsync(id, "at random", OperationRig.Alice, Cancellation)); break;
            case Act.SwitchToA: return await Ask(OperationType.Switchover, target: "1");
            case Act.SwitchToB: return await Ask(OperationType.Switchover, target: "2");
            case Act.DrainA: return await Ask(OperationType.Drain, "1");
            case Act.DrainB: return await Ask(OperationType.Drain, "2");
            case Act.UndrainA: return await Ask(OperationType.Undrain, "1");
            case Act.UndrainB: return await Ask(OperationType.Undrain, "2");
            case Act.MakeAPrimary: return await Ask(OperationType.SetRole, "1", role: Role.Primary);
            case Act.MakeBPrimary: return await Ask(OperationType.SetRole, "2", role: Role.Primary);
            case Act.MakeASecondary: return await Ask(OperationType.SetRole, "1", role: Role.Secondary);
            case Act.ObeyA: await a.TakeNextAsync(IntentOutcome.Applied); break;
            case Act.ObeyB: await b.TakeNextAsync(IntentOutcome.Applied); break;
            case Act.RefuseA: await a.TakeNextAsync(IntentOutcome.Rejected); break;
            case Act.RefuseB: await b.TakeNextAsync(IntentOutcome.Rejected); break;
            case Act.BreakA: await a.BreakAsync(); break;
            case Act.BreakB: await b.BreakAsync(); break;
            case Act.DialA: await a.DialAsync(); break;
            case Act.DialB: await b.DialAsync(); break;
            case Act.SickenA: await a.SetHealthAsync(healthy: false); break;
            case Act.SickenB: await b.SetHealthAsync(healthy: false); break;
            case Act.HealA: await a.SetHealthAsync(healthy: true); break;
            case Act.HealB: await b.SetHealthAsync(healthy: true); break;
            case Act.RestartA: await a.RestartAsync(forgets: false); break;
            case Act.RestartB: await b.RestartAsync(forgets: false); break;
            case Act.ForgetA: await a.RestartAsync(forgets: true); break;
            case Act.ForgetB: await b.RestartAsync(forgets: true); break;
            case Act.RestartHub:
                a.LoseHub();
                b.LoseHub();
                await hub.StartAsync();
                break;
            default:
                time.Advance(TimeSpan.FromSeconds(act switch { Act.Second => 1, Act.TenSeconds => 10, _ => 30 }));
                await a.ReportAsync();
                await b.ReportAsync();
                break;
        }

        await SettleAsync(hub);
        return 0;
    }

    private static async Task<int> AskAsync(HubWithRestarts hub, OperationRequest request)
    {
        var result = await hub.Now.Operations.SubmitAsync(request, OperationRig.Alice, Cancellation);
        await SettleAsync(hub);
        return result is SubmitResult.Accepted ? 1 : 0;
    }

    // The owners get a chance to act on what just happened; what holds must hold whether they have or not.
    private static async Task SettleAsync(HubWithRestarts hub)
    {
        for (var i = 0; i < 2; i++)
        {
            var version = hub.Now.Fleet.Current.Version;
            await hub.Now.Fleet.PostAsync(new FleetMessage.Tick(), Cancellation);
            await hub.Now.UntilAsync(s => s.Version > version);
            await hub.Now.Writer.FlushAsync(Cancellation);
        }
    }
}
