using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Configuration;

/// <summary>How shared addresses are probed: "icmp" or "tcp:PORT".</summary>
/// <param name="Method">The method.</param>
/// <param name="Port">1 to 65535 with TCP, else null.</param>
internal sealed record ProbeSetting(ProbeMethod Method, int? Port)
{
    public static ProbeSetting Icmp { get; } = new(ProbeMethod.Icmp, null);

    public override string ToString() => Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"tcp:{port}") : "icmp";

    public static bool TryParse(string text, [NotNullWhen(true)] out ProbeSetting? setting)
    {
        string word = text.Trim().ToLowerInvariant();
        if (word == "icmp")
        {
            setting = Icmp;
            return true;
        }

        bool isTcp = word.StartsWith("tcp:", StringComparison.Ordinal)
            && int.TryParse(word.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is >= 1 and <= 65535;
        setting = isTcp ? new ProbeSetting(ProbeMethod.Tcp, int.Parse(word.AsSpan(4), CultureInfo.InvariantCulture)) : null;
        return isTcp;
    }
}
