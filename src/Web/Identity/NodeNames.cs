using System.Text.RegularExpressions;

namespace FailoverHub.Web.Identity;

/// <summary>What a node may be called.</summary>
internal static partial class NodeNames
{
    public static bool IsGood(string name) => Good().IsMatch(name);

    public static string Problem(string name) =>
        $"'{(name.Length <= 80 ? name : name[..80])}' is no node name: 1 to 63 letters, digits, '.', '-' or '_', beginning with a letter or digit.";

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z")]
    private static partial Regex Good();
}
