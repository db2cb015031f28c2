using System.Globalization;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>
/// kill -9 at a moment that a test chooses: just before the agent's Nth call to the kernel that changes something which outlives it (a file of its state
/// directory, an address). Between two such calls there is nothing that a kill could spoil. <c>killer.c</c> does it, compiled in the sandbox.
/// </summary>
internal sealed class Killer
{
    private const string Program = "/run/killer";
    private const string Arm = "/run/killer-arm";
    private const string Counted = "/run/killer-count";

    private readonly Sandbox _sandbox;

    private Killer(Sandbox sandbox, string state)
    {
        _sandbox = sandbox;
        Environment = new Dictionary<string, string> { ["KILLER_STATE"] = state, ["KILLER_ARM"] = Arm, ["KILLER_COUNT"] = Counted };
    }

    /// <summary>What the agent is to be started under.</summary>
    public static string[] Command => [Program];

    /// <summary>And with what in its environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <param name="sandbox">Where.</param>
    /// <param name="state">Folder whose files count.</param>
    /// <param name="cancellation">Of the test.</param>
    public static async Task<Killer> MakeAsync(Sandbox sandbox, string state, CancellationToken cancellation)
    {
        await sandbox.ScriptAsync($"$(command -v gcc || command -v clang) -O1 -o {Program} {Path.Combine(AppContext.BaseDirectory, "Harness", "killer.c")}", cancellation);
        return new Killer(sandbox, state);
    }

    /// <summary>From now on the calls are counted, and the agent that was started under it is ended before one of them.</summary>
    /// <param name="call">Which, from 1 on; 0: none.</param>
    /// <param name="cancellation">Of the test.</param>
    /// <param name="about">Those only that have this in their path.</param>
    public async Task ArmAsync(int call, CancellationToken cancellation, string about = "")
    {
        // Whole or not at all: the other side looks at any moment.
        await _sandbox.WriteAsync($"{Arm}.new", string.Create(CultureInfo.InvariantCulture, $"{call} {about}\n"), cancellation);
        File.Move(_sandbox.Outside($"{Arm}.new"), _sandbox.Outside(Arm), overwrite: true);
    }

    /// <summary>The next start is left alone until it is armed again.</summary>
    /// <returns>How many calls there were; and before which the agent was ended, empty when it was not.</returns>
    public async Task<(int Count, string Call)> DisarmAsync(CancellationToken cancellation)
    {
        var said = (await _sandbox.ReadAsync(Counted, cancellation)).Trim();
        File.Delete(_sandbox.Outside(Arm));
        File.Delete(_sandbox.Outside(Counted));
        var blank = said.IndexOf(' ', StringComparison.Ordinal);
        return (said.Length == 0 ? 0 : int.Parse(blank < 0 ? said : said[..blank], CultureInfo.InvariantCulture), blank < 0 ? "" : said[(blank + 1)..]);
    }
}
