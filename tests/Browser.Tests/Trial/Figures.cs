using System.Globalization;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>What was measured, for people: in the test's output and in <c>TestResults/browser/figures.txt</c>. Nothing asserts it closely.</summary>
internal static class Figures
{
    public static void Note(string what, TimeSpan time) => Note(string.Create(CultureInfo.InvariantCulture, $"{what}: {time.TotalMilliseconds:F0} ms"));

    public static void Note(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        File.AppendAllText(Path.Combine(Places.Results, "figures.txt"), $"{DateTimeOffset.UtcNow:u} {line}\n");
    }
}
