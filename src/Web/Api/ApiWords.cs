using System.Collections.Frozen;
using System.Text.Json;

namespace FailoverHub.Web.Api;

/// <summary>
/// Enums as the words that scripts rely on. States are written as they are named ("FailedOver"); roles, types and reasons in kebab
/// case ("set-role").
/// </summary>
internal static class ApiWords
{
    public static string State<T>(T value)
        where T : struct, Enum => Enum.GetName(value) ?? value.ToString();

    public static string Kebab<T>(T value)
        where T : struct, Enum => Words<T>.Of[value];

    public static bool TryParseKebab<T>(string word, out T value)
        where T : struct, Enum => Words<T>.From.TryGetValue(word, out value);

    /// <summary>"'a', 'b' or 'c'", for a sentence that says what may be written.</summary>
    public static string Choices<T>()
        where T : struct, Enum
    {
        string[] words = [.. Enum.GetValues<T>().Select(v => $"'{Kebab(v)}'")];
        return words.Length == 1 ? words[0] : $"{string.Join(", ", words[..^1])} or {words[^1]}";
    }

    private static class Words<T>
        where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> Of =
            Enum.GetValues<T>().ToFrozenDictionary(v => v, v => JsonNamingPolicy.KebabCaseLower.ConvertName(v.ToString()));

        public static readonly FrozenDictionary<string, T> From = Of.ToFrozenDictionary(p => p.Value, p => p.Key, StringComparer.Ordinal);
    }
}
