using System.Diagnostics;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Forwarding;

/// <summary>
/// What a client sees when the address moves: two nodes with the same daemon, whichever it is, before real route servers and a fabric that forwards. One pair runs at a time,
/// and each round asks all of them.
/// </summary>
internal static class Moves
{
    private static readonly TimeSpan _cutFor = TimeSpan.FromSeconds(15);

    public static async Task MeasureAsync(Run run, ForwardingLab lab)
    {
        await using var hubOfA = await BenchHub.StartAsync(lab.A, TimeSpan.Zero, run.Cancellation);
        await using var hubOfB = await BenchHub.StartAsync(lab.B, TimeSpan.Zero, run.Cancellation);
        Pair[] pairs =
        [
            new(Ours("FailoverHub", lab.A, hubOfA), Ours("FailoverHub", lab.B, hubOfB)),
            new(new GoBgpSubject(lab.A, new Board("GoBGP")), new GoBgpSubject(lab.B, new Board("GoBGP"))),
            new(new FrrSubject(lab.A, new Board("FRR")), new FrrSubject(lab.B, new Board("FRR"))),
            new(new BirdSubject(lab.A, new Board("BIRD")), new BirdSubject(lab.B, new Board("BIRD"))),
        ];
        var rows = new MoveRows();
        for (var round = 1; round <= run.Options.Rounds; round++)
        {
            foreach (var pair in pairs)
            {
                await RoundAsync(run, lab, pair, rows);
                run.Progress($"round {round} of {run.Options.Rounds}: {pair.A.Name}");
            }
        }

        run.Results.Add("What the client sees, pinging every 10 ms", [.. rows.All]);

        Subject Ours(string name, NodeNetwork network, BenchHub hub) => new AgentSubject(name, run.Options.Native, hub, network, new Board(name));
    }

    private static async Task RoundAsync(Run run, ForwardingLab lab, Pair pair, MoveRows rows)
    {
        var (a, b) = (pair.A, pair.B);
        var cancellation = run.Cancellation;
        var view = new ClientView(run, lab, a.Name, () => $"Log of a ends with:\n{a.LastWords()}\nlog of b:\n{b.LastWords()}");

        // The standby alone, as primary, and then as the secondary that it is.
        await b.StartAsync(1, cancellation);
        await view.SessionsAsync(lab.B);
        await (await b.PrepareAsync(Route.Secondary, cancellation))();
        await StartingAAsync(rows.Start, rows.StartLost);

        // Role change by command: both told at once. There and back.
        foreach (var (role, other, at) in new[] { (Route.Secondary, Route.Primary, "b"), (Route.Primary, Route.Secondary, "a") })
        {
            var (tellA, tellB) = (await a.PrepareAsync(role, cancellation), await b.PrepareAsync(other, cancellation));
            await MoveAsync(rows.Role, rows.RoleLost, at, () => Task.WhenAll(tellA(), tellB()));
        }

        await MoveAsync(rows.Drain, rows.DrainLost, "b", await a.PrepareAsync(Route.None, cancellation));
        await MoveAsync(rows.Undrain, rows.UndrainLost, "a", await a.PrepareAsync(Route.Primary, cancellation));

        await MoveAsync(rows.Stop, rows.StopLost, "b", () => a.TerminateAsync(cancellation));
        await StartingAAsync(rows.Return, rows.ReturnLost);
        await MoveAsync(rows.Kill, rows.KillLost, "b", () => a.StopAsync(cancellation));
        await StartingAAsync(rows.Return, rows.ReturnLost);

        await CutAsync();
        await a.StopAsync(cancellation);
        await b.StopAsync(cancellation);
        // Until the route servers have forgotten both.
        await Pause.ForAsync(ClientView.Settle, cancellation);

        async Task StartingAAsync(Row time, Row lost)
        {
            await MoveAsync(time, lost, "a", () => a.StartAsync(1, cancellation));
            await view.SessionsAsync(lab.A);
            await Pause.ForAsync(ClientView.Settle, cancellation);
        }

        Task MoveAsync(Row time, Row lost, string to, Func<Task> act) => view.MoveAsync(time, lost, to, act);

        async Task CutAsync()
        {
            var pinger = await lab.StartPingsAsync();
            await view.SeeAtAsync(pinger, "a", Stopwatch.GetTimestamp());
            var at = Stopwatch.GetTimestamp();
            await ForwardingLab.CutAAsync(cancellation);
            await view.SeeAtAsync(pinger, "b", at);
            rows.Cut.Add(a.Name, (await pinger.StopAsync()).Outage.TotalMilliseconds);
            await Pause.ForAsync(_cutFor - Stopwatch.GetElapsedTime(at), cancellation);

            pinger = await lab.StartPingsAsync();
            await view.SeeAtAsync(pinger, "b", Stopwatch.GetTimestamp());
            var before = TimeProvider.System.GetUtcNow().UtcDateTime;
            await ForwardingLab.MendAAsync(cancellation);
            var healed = Stopwatch.GetTimestamp();
            var came = await view.SessionsAsync(lab.A, since: before);
            await view.SeeAtAsync(pinger, "a", healed);
            rows.FirstSession.Add(a.Name, (came.Min() - before).TotalMilliseconds);
            rows.AllSessions.Add(a.Name, (came.Max() - before).TotalMilliseconds);
            rows.HealLost.Add(a.Name, (await pinger.StopAsync()).Lost);
        }
    }

    /// <summary>The same daemon on both nodes.</summary>
    private sealed record Pair(Subject A, Subject B);
}
