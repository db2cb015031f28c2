using System.Globalization;

namespace FailoverHub.Bench.Load;

/// <summary>What <c>./bench.sh hub</c> was asked for.</summary>
internal sealed record LoadOptions
{
    public const string Usage = "hub PROGRAM [--agents N] [--seconds S] [--largest] [--no-page] [--no-bare]";

    /// <summary>The built hub.</summary>
    public required string Program { get; init; }

    /// <summary>Two of them are a pair; even, 2 to 60,000.</summary>
    public int Agents { get; init; } = 2_000;

    /// <summary>For how long each thing is watched, 5 to 600 s.</summary>
    public TimeSpan Watched { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Go on with more and more agents until something no longer holds.</summary>
    public bool Largest { get; init; }

    /// <summary>Without a browser.</summary>
    public bool WithoutPage { get; init; }

    /// <summary>Without the bare server beside it.</summary>
    public bool WithoutBare { get; init; }

    /// <exception cref="FormatException">Something is not understood; the message says what.</exception>
    public static LoadOptions Read(IReadOnlyList<string> arguments)
    {
        var options = new LoadOptions { Program = arguments.Count > 0 ? arguments[0] : throw new FormatException(Usage) };
        for (var i = 1; i < arguments.Count; i++)
        {
            options = arguments[i] switch
            {
                "--largest" => options with { Largest = true },
                "--no-bare" => options with { WithoutBare = true },
                "--no-page" => options with { WithoutPage = true },
                "--agents" => options with { Agents = Number(arguments, ++i, 2, 60_000) / 2 * 2 },
                "--seconds" => options with { Watched = TimeSpan.FromSeconds(Number(arguments, ++i, 5, 600)) },
                _ => throw new FormatException($"no option '{arguments[i]}'; {Usage}"),
            };
        }

        return options;
    }

    private static int Number(IReadOnlyList<string> arguments, int at, int least, int most) =>
        at < arguments.Count && int.TryParse(arguments[at], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{arguments[at - 1]} needs a number from {least} to {most}");
}
