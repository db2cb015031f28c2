using System.Reflection;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>Where things are on this machine.</summary>
internal static class Places
{
    /// <summary>The repository that these tests were built from.</summary>
    public static string Root { get; } = typeof(Places).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    /// <summary>For what a failed test leaves behind, and for figures.</summary>
    public static string Results { get; } = Directory.CreateDirectory(Path.Combine(Root, "TestResults", "browser")).FullName;

    public static string Hub { get; } = Path.Combine(Root, "src/Web/bin/Release/net10.0/failoverhub");

    public static string Agent { get; } = Path.Combine(Root, "src/Agent/bin/Release/net10.0/failoverhub-agent");

    /// <summary>Debian's Chromium, or what <c>FAILOVERHUB_CHROMIUM</c> says.</summary>
    public static string Chromium { get; } = Environment.GetEnvironmentVariable("FAILOVERHUB_CHROMIUM")
        ?? new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("No Chromium found: apt-get install chromium, or set FAILOVERHUB_CHROMIUM to one.");
}
