using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using FailoverHub.Bench.Report;
using FailoverHub.Bench.Subjects;

namespace FailoverHub.Bench.Forwarding;

/// <summary>A killed primary is started again, under each failback policy of ours: when the client comes back to it, and what that costs.</summary>
internal static class Returns
{
    private const int StableSeconds = 4;

    // A route that would move does so within some tenths of a second.
    private static readonly TimeSpan _stays = TimeSpan.FromSeconds(3);

    public static async Task MeasureAsync(Run run, ForwardingLab lab)
    {
        const string name = "FailoverHub";
        var policies = new[] { "immediate", "after-stable", "manual" }.Select(policy => (policy, Time: new Row($"forwarding.returns.{policy}", Title(policy), "ms"), Lost: new Row($"forwarding.returns.{policy}.lost", "… lost meanwhile", "pings"))).ToList();
        for (var round = 1; round <= run.Options.Rounds; round++)
        {
            foreach (var (policy, time, lost) in policies)
            {
                var a = new AgentSubject(name, run.Options.Native, null, lab.A, new Board(name)) { More = ["--failback", policy, .. policy == "after-stable" ? (string[])["--failback-stable", $"{StableSeconds}"] : []] };
                var b = new AgentSubject(name, run.Options.Native, null, lab.B, new Board(name));
                var view = new ClientView(run, lab, name, () => $"Log of a ends with:\n{a.LastWords()}\nlog of b:\n{b.LastWords()}");
                await ReturnAsync(view, a, b, policy, time, lost);
            }

            run.Progress($"returned primaries, round {round} of {run.Options.Rounds}");
        }

        run.Results.Add("A killed primary returns, the client pinging every 10 ms", [.. policies.SelectMany(policy => (Row[])[policy.Time, policy.Lost])]);

        async Task ReturnAsync(ClientView view, AgentSubject a, AgentSubject b, string policy, Row time, Row lost)
        {
            await a.StartAsync(1, run.Cancellation);
            await view.SessionsAsync(lab.A);
            await b.StartAsync(1, run.Cancellation);
            await view.SessionsAsync(lab.B);
            await (await b.PrepareLocalAsync(Route.Secondary, run.Cancellation))();
            await view.MoveAsync(new Row("", "", ""), new Row("", "", ""), "b", () => a.StopAsync(run.Cancellation));
            a.Remembers = true;
            if (policy == "manual")
            {
                // It is there and ready, and the client stays where it is until somebody says so.
                await a.StartAsync(1, run.Cancellation);
                await view.SessionsAsync(lab.A);
                await Pause.ForAsync(_stays, run.Cancellation);
                await view.MoveAsync(time, lost, "a", () => a.FailBackAsync(run.Cancellation));
            }
            else
            {
                await view.MoveAsync(time, lost, "a", () => a.StartAsync(1, run.Cancellation));
            }

            await a.StopAsync(run.Cancellation);
            await b.StopAsync(run.Cancellation);
            await Pause.ForAsync(ClientView.Settle, run.Cancellation);
        }
    }

    private static string Title(string policy) => policy switch
    {
        "manual" => "failback manual: the command → the client is back",
        "after-stable" => $"failback after-stable, {StableSeconds} s: process start → the client is back",
        _ => "failback immediate: process start → the client is back",
    };
}
