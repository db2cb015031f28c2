namespace FailoverHub.Browser.Tests.Trial;

/// <summary>Brings the trial back to what a test may begin with: everything runs, nothing is drained, node-a is active, the pair is healthy.</summary>
internal static class Calm
{
    private const string Reason = "back to normal for the next test";

    public static async Task<PairView> EnsureAsync(TrialRun trial, CancellationToken cancelled)
    {
        var pair = await trial.Api.PairAsync(cancelled);
        if (pair is not null && IsCalm(pair, trial))
        {
            return pair;
        }

        foreach (var component in (string[])["hub", "node-a", "node-b"])
        {
            await trial.StartComponentAsync(component, cancelled);
        }

        pair = await UntilAsync(trial, pair => !pair.IsBusy && pair.Members.All(member => member is { Link: "Connected", Established: 4 }), "both nodes are connected", cancelled);
        await Waiting.UntilAsync(() => trial.Api.NewestDrillAsync(cancelled), drill => drill is not { Status: "Running" or "Queued" }, "no drill is under way", cancelled);
        foreach (var member in pair.Members.Where(member => member.Drained))
        {
            await trial.Api.StartOnNodeAsync(member.Node, new { type = "undrain", reason = Reason }, cancelled);
            await UntilAsync(trial, pair => !pair.IsBusy && !pair.Member(member.Node).Drained, $"{member.Node} is not drained", cancelled);
        }

        pair = await UntilAsync(trial, pair => !pair.IsBusy && pair.ActiveNode is not null, "a node is active", cancelled);
        if (pair.ActiveNode != "node-a" || pair.Member("node-a").ReportedRole != "primary")
        {
            await trial.Api.StartOnPairAsync(pair.Name, new { type = "switchover", target = "node-a", reason = Reason }, cancelled);
        }

        return await UntilAsync(trial, pair => IsCalm(pair, trial), "the pair is healthy on node-a", cancelled);
    }

    private static bool IsCalm(PairView pair, TrialRun trial) =>
        pair is { State: "Healthy", ActiveNode: "node-a", IsBusy: false } && trial.Lab.Holder == "node-a"
        && pair.Members.All(member => member is { Link: "Connected", Drained: false, Established: 4 });

    private static async Task<PairView> UntilAsync(TrialRun trial, Func<PairView, bool> wanted, string what, CancellationToken cancelled) =>
        (await Waiting.UntilAsync(() => trial.Api.PairAsync(cancelled), pair => pair is not null && wanted(pair), what, cancelled))!;
}
